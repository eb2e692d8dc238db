"""`kernelbench run` with workers that are not processes: files, messages and exit codes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from kernelbench.model import Failed, Measured, Result
from kernelbench.protocol import Broken, CaseFailed, Measure, Reply, Request
from kernelbench.store.files import read_result
from kernelbench.store.lock import HostLock
from tests.runner.fakes import FakeWorkers

A, B = "op/a/f32/n=64/t=1", "op/b/f32/n=64/t=1"

Kernelbench = Callable[..., int]


def one_result(folder: Path) -> Result:
    (path,) = folder.glob("*.json")
    return read_result(path)


def case_of(message: Request) -> str:
    return message.case.id if isinstance(message, Measure) else ""


def failing(case_id: str, answer: Reply) -> Callable[[Request], Reply | None]:
    return lambda message: answer if case_of(message) == case_id else None


def test_a_run_writes_result_and_page_prints_the_table_and_says_where(
    kernelbench: Kernelbench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kernelbench("c.toml") == 0
    result = one_result(tmp_path / "results")
    assert [(r.case.id, len(r.outcome.rounds)) for r in result.records if isinstance(r.outcome, Measured)] == [
        (A, 2),
        (B, 2),
    ]
    out, err = capsys.readouterr()
    assert "op" in out
    for suffix in ("json", "html"):
        (path,) = (tmp_path / "results").glob(f"*.{suffix}")
        assert f"wrote {path.relative_to(tmp_path)}" in err
    assert not list((tmp_path / "results").glob("*.journal"))


def test_no_html_means_no_page(kernelbench: Kernelbench, tmp_path: Path) -> None:
    assert kernelbench("c.toml", "-o", "x/run.json", "--no-html") == 0
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["run.json"]


def test_a_failed_kernel_is_exit_4_and_the_others_are_measured(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path
) -> None:
    workers.answer = failing(A, CaseFailed("verify", "error 0.5 > 1e-6"))
    assert kernelbench("c.toml", "--no-html") == 4
    first, second = one_result(tmp_path / "results").records
    assert first.outcome == Failed("verify", "error 0.5 > 1e-6")
    assert isinstance(second.outcome, Measured)


def test_a_fault_of_ours_is_exit_70_and_the_result_is_kept(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workers.answer = failing(A, Broken("KeyError: 'x'"))
    assert kernelbench("c.toml", "--no-html") == 70
    assert len(one_result(tmp_path / "results").records) == 2
    assert "please report it: op/a/f32/n=64/t=1: KeyError: 'x'" in capsys.readouterr().err


def test_list_prints_ids_and_measures_nothing(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kernelbench("c.toml", "--list", "-k", "op/a", "-s", "64,128") == 0
    assert capsys.readouterr().out.splitlines() == ["op/a/f32/n=64/t=1", "op/a/f32/n=128/t=1"]
    assert workers.measured == []
    assert not (tmp_path / "results").exists()


def test_list_tells_what_is_skipped_and_why_on_stderr(
    kernelbench: Kernelbench, workers: FakeWorkers, capsys: pytest.CaptureFixture[str]
) -> None:
    workers.variants = (workers.variants[0], replace(workers.variants[1], unavailable="needs torch"))
    assert kernelbench("c.toml", "--list") == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [A]
    assert f"skipped {B}: needs torch" in err


def test_a_dry_run_verifies_and_writes_nothing(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workers.answer = failing(B, CaseFailed("verify", "wrong\x1b[2J"))
    assert kernelbench("c.toml", "--dry-run") == 4
    out = capsys.readouterr().out
    assert "pass" in next(line for line in out.splitlines() if A in line)
    assert "FAIL" in next(line for line in out.splitlines() if B in line)
    assert "\x1b" not in out
    assert not (tmp_path / "results").exists()
    assert all(message.verify_only for _, message, _ in workers.asked if isinstance(message, Measure))


def test_nothing_to_measure_is_said_with_the_reason(
    kernelbench: Kernelbench, workers: FakeWorkers, capsys: pytest.CaptureFixture[str]
) -> None:
    workers.variants = tuple(replace(variant, unavailable="needs torch") for variant in workers.variants)
    assert kernelbench("c.toml", "--no-html") == 2
    assert "needs torch" in capsys.readouterr().err


def test_a_broken_module_costs_its_own_kernels_and_exits_with_4(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").touch()
    workers.broken_modules = (("mine.py", "SyntaxError: line 3"),)
    assert kernelbench("c.toml", "-m", "mine.py", "--no-html", "-o", "run.json") == 4
    assert "warning: mine.py: cannot be imported: SyntaxError: line 3; its kernels are left out" in (
        capsys.readouterr().err
    )
    assert len(read_result(tmp_path / "run.json").records) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused_before_anything_is_measured(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path
) -> None:
    (tmp_path / "results").mkdir(mode=0o500)
    assert kernelbench("c.toml") == 2
    assert workers.made == []


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_measured(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path
) -> None:
    (tmp_path / "results").write_text("a file, not a folder")
    assert kernelbench("c.toml") == 2
    assert workers.made == []


def test_a_second_run_on_the_host_waits_and_then_goes_on_with_a_warning(
    kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kernelbench.cli import run

    monkeypatch.setattr(run, "LOCK_WAIT_S", 0.0)
    with HostLock() as held:
        assert held.acquire(0, print)
        assert kernelbench("c.toml", "--no-html") == 0
    err = capsys.readouterr().err
    assert "another kernelbench run" in err
    assert "measuring although" in err


def test_flags_win_over_the_file(kernelbench: Kernelbench, workers: FakeWorkers) -> None:
    assert kernelbench("c.toml", "--rounds", "1", "--case", "op/b/*", "--no-html") == 0
    assert workers.measured == [(0, B)]


def test_without_a_config_the_built_in_quick_one_is_taken() -> None:
    from kernelbench.cli.run import find_config

    assert find_config(None) == find_config("quick")
    assert [find_config(name).name for name in ("quick", "full", "ci")] == ["quick.toml", "full.toml", "ci.toml"]
    assert all(find_config(name).is_file() for name in ("quick", "full", "ci"))


def test_a_config_by_path_is_that_path() -> None:
    from kernelbench.cli.run import find_config

    assert find_config("some/quick.toml") == Path("some/quick.toml")


@pytest.mark.parametrize("words", [("-o", "run.journal"), ("-o", "run.html"), ("--html", "run.json", "-o", "run.json")])
def test_result_journal_and_page_are_three_files(kernelbench: Kernelbench, words: tuple[str, ...]) -> None:
    assert kernelbench("c.toml", *words) == 2
