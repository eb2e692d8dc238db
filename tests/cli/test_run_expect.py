"""Expectations of a configuration as `kernelbench run` checks them: exit codes, output, refusals."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from kernelbench import cli
from kernelbench.model import Accuracy, Result, Round
from kernelbench.protocol import CaseFailed, CaseMeasured, Measure, Reply, Request
from kernelbench.store.files import read_result
from tests.runner.fakes import FakeWorkers

CONFIG = """
rounds = {rounds}
ceilings = false
[[matrix]]
kernels = ["op/*"]
sizes = [64]
threads = [1]
[[expect]]
name = "b pays"
kernel = "op/b"
faster_than = "op/a"
by = {by}
"""

A, B = "op/a/f32/n=64/t=1", "op/b/f32/n=64/t=1"

Kernelbench = Callable[..., int]


@pytest.fixture
def workers(workers: FakeWorkers) -> FakeWorkers:
    """Workers for whom ``op/b`` takes a third of the time of ``op/a``."""
    workers.answer = thirds
    return workers


@pytest.fixture
def kernelbench(kernelbench: Kernelbench) -> Kernelbench:
    configure()
    return lambda *words: kernelbench("c.toml", "--no-html", "--wait-quiet", "0", *words)


def configure(by: float = 2.0, rounds: int = 6, more: str = "") -> None:
    Path("c.toml").write_text(CONFIG.format(by=by, rounds=rounds) + more)


def thirds(message: Request) -> Reply | None:
    if not isinstance(message, Measure) or message.verify_only:
        return None
    seconds = 3e-6 if message.case.id == A else 1e-6
    timed = Round(message.round, float(message.round), (seconds,) * 3, 10, 0)
    return CaseMeasured(Accuracy("max error", 1e-7, "float64", 1e-6), "compiled loop", False, (0,), round=timed)


def only_result() -> Result:
    (path,) = Path("results").glob("*.json")
    return read_result(path)


def test_a_kept_expectation_is_shown_and_stored(kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]) -> None:
    assert kernelbench() == 0
    out = capsys.readouterr().out
    assert "Expectations: 1 pass" in out
    assert f"{B} against {A}: 3.00x (3.00x to 3.00x over 6 rounds)" in " ".join(out.split())
    (stored,) = only_result().expectations
    assert (stored["state"], stored["bound"], stored["limit"]) == ("pass", "faster_than", 2.0)


def test_a_failed_expectation_is_exit_1_and_the_result_is_written(
    kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(by=4)
    assert kernelbench() == 1
    out, err = capsys.readouterr()
    assert "fail: b pays (op/b: at least 4x as fast as op/a)" in out
    assert "wholly below 4x" in " ".join(out.split())
    assert "1 of 1 expectations failed" in err
    assert only_result().expectations[0]["state"] == "fail"


def test_an_undecided_expectation_fails_only_where_asked(
    kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(rounds=3)
    assert kernelbench() == 0
    assert "not decidable: b pays" in capsys.readouterr().out
    assert kernelbench("--fail-on", "ambiguous") == 3
    assert "1 of 1 expectations could not be decided" in capsys.readouterr().err


def test_a_failed_expectation_is_graver_than_an_undecided_one(kernelbench: Kernelbench) -> None:
    configure(by=4, more='[[expect]]\nkernel = "op/a"\nmin_roof_fraction = 0.5\n')
    assert kernelbench("--fail-on", "ambiguous") == 1


def test_a_crashed_kernel_fails_its_rule_and_the_exit_code_stays_4(
    kernelbench: Kernelbench, workers: FakeWorkers, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = CaseFailed("verify", "error 0.5 > 1e-6")
    workers.answer = lambda message: dead if isinstance(message, Measure) and message.case.id == A else thirds(message)
    assert kernelbench() == 4
    assert only_result().expectations[0]["state"] == "fail"
    assert "the latter failed: verify: error 0.5 > 1e-6" in " ".join(capsys.readouterr().out.split())


def test_an_interrupted_run_judges_what_is_there_and_the_resumed_one_judges_again(
    kernelbench: Kernelbench, workers: FakeWorkers
) -> None:
    left = [3]

    def interrupting(message: Request) -> Reply | None:
        if isinstance(message, Measure):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
        return thirds(message)

    workers.answer = interrupting
    assert kernelbench("-o", "run.json", "--fail-on", "ambiguous") == 130
    assert read_result(Path("run.json")).expectations[0]["state"] == "undecided"
    workers.answer = thirds
    words = ["run", "--resume", "run.json", "--no-html", "--wait-quiet", "0", "--fail-on", "ambiguous"]
    assert cli._exit_code(words) == 0
    assert read_result(Path("run.json")).expectations[0]["state"] == "pass"


def test_a_rule_about_no_planned_kernel_is_refused_with_its_line_before_anything_is_measured(
    kernelbench: Kernelbench, workers: FakeWorkers, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(more='[[expect]]\nkernel = "op/bb"\nmax_error = 1\n')
    assert kernelbench() == 2
    err = capsys.readouterr().err
    assert "c.toml:14: expect[1].kernel: no kernel of this plan matches 'op/bb'; did you mean op/b" in err
    assert workers.measured == []
    assert not Path("results").exists() or not list(Path("results").iterdir())


@pytest.mark.parametrize("words", [("-k", "op/b"), ("--case", "op/b/*"), ("--dtype", "f32", "-k", "op/b")])
def test_a_run_narrowed_by_flags_keeps_its_rules_and_leaves_them_undecided(
    kernelbench: Kernelbench, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kernelbench(*words) == 0
    assert "nothing to compare with: no case of this run is op/a on the same problem" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_rule_without_a_case_is_warned_of_before_the_run(
    kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(more='[[expect]]\nwhere = "n > 64"\nmax_error = 1\n')
    assert kernelbench("--list") == 0
    err = capsys.readouterr().err
    assert "warning: no case of this run is one of the expectation every case where n > 64: error at most 1" in err
    assert "b pays" not in err


def test_a_mistake_in_a_rule_is_refused_when_the_plan_is_only_listed(kernelbench: Kernelbench) -> None:
    configure(more='[[expect]]\nkernel = "op/bb"\nmax_error = 1\n')
    assert kernelbench("--list") == 2


def test_report_shows_what_the_run_judged(kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]) -> None:
    configure(by=4)
    kernelbench("-o", "run.json")
    capsys.readouterr()
    assert cli._exit_code(["report", "run.json"]) == 0
    assert "Expectations: 1 fail" in capsys.readouterr().out
    assert cli._exit_code(["report", "run.json", "--md", "-"]) == 0
    assert "| fail" in capsys.readouterr().out


def test_a_result_with_a_damaged_expectation_is_exit_2(
    kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]
) -> None:
    from kernelbench.store.files import write_result

    kernelbench("-o", "run.json")
    made = read_result(Path("run.json"))
    write_result(Path("run.json"), replace(made, expectations=({"rule": 3},)))
    assert cli._exit_code(["report", "run.json"]) == 2
    assert "expectations in the result are damaged" in capsys.readouterr().err
