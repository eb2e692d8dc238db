"""``kernelbench run --wait-quiet`` on a host that is or is not quiet."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kernelbench import cli
from kernelbench.cli.run import command
from kernelbench.machine import quiet
from kernelbench.machine.quiet import Quietness
from kernelbench.model import Unknown
from kernelbench.runner import session
from kernelbench.store.files import read_result

Look = Callable[[], Quietness]
Kernelbench = Callable[..., int]


def host(runnable: int = 1, swapped: int = 0) -> Quietness:
    return Quietness(2, runnable, 0, 0, Unknown("no quota"), swapped, Unknown("no swap"), "performance")


@pytest.fixture
def kernelbench(kernelbench: Kernelbench) -> Kernelbench:
    return lambda *words: kernelbench("c.toml", "-o", "run.json", "--no-html", *words)


def looks(monkeypatch: pytest.MonkeyPatch, *coming: Quietness) -> None:
    """The host looks like these, one after the other, the last one for ever."""

    def answers() -> Iterator[Quietness]:
        yield from coming
        while True:
            yield coming[-1]

    monkeypatch.setattr(quiet, "look", answers().__next__)


def test_a_host_that_stays_busy_is_told_and_kept_in_the_result(
    kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(monkeypatch, host(runnable=3))
    assert kernelbench("--wait-quiet", "0.001") == 0
    (note,) = read_result(Path("run.json")).notes
    assert note.startswith("the host was not quiet when measuring began: 2 other runnable tasks")
    assert note in capsys.readouterr().err


def test_what_was_taken_while_measuring_is_told_and_kept(
    kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(monkeypatch, host(), host(), host(swapped=5))
    assert kernelbench("--wait-quiet", "0.001") == 0
    assert read_result(Path("run.json")).notes == ("while measuring: 5 pages swapped",)
    assert "while measuring: 5 pages swapped" in capsys.readouterr().err


def test_a_quiet_host_is_not_worth_a_word(
    kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(monkeypatch, host())
    assert kernelbench("--wait-quiet", "0.001") == 0
    assert read_result(Path("run.json")).notes == ()
    assert "quiet" not in capsys.readouterr().err


def test_nothing_is_waited_for_nor_judged_with_0(kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch) -> None:
    looks(monkeypatch, host(runnable=9))
    assert kernelbench("--wait-quiet", "0") == 0
    assert read_result(Path("run.json")).notes == ()


def test_an_interrupted_wait_leaves_nothing_behind(
    kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted() -> Quietness:
        raise KeyboardInterrupt

    monkeypatch.setattr(quiet, "look", interrupted)
    assert kernelbench("--wait-quiet", "5") == 130
    assert not list(tmp_path.glob("run.*"))


def test_a_resumed_run_may_wait_as_well_and_keeps_the_earlier_notes(
    kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = pytest.MonkeyPatch()
    looks(monkeypatch, host(runnable=2))
    with stop.context() as patched:
        patched.setattr(session, "write_result", _full_disk)
        assert kernelbench("--wait-quiet", "0.001") == 70
    looks(monkeypatch, host())
    assert cli._exit_code(["run", "--resume", "run.journal", "--wait-quiet", "0.001", "--no-html"]) == 0
    (note,) = read_result(Path("run.json")).notes
    assert "1 other runnable task " in note


def _full_disk(path: Path, result: object) -> None:
    from kernelbench.errors import StoreError

    raise StoreError(f"{path} was not written: the disk is full")


@pytest.mark.parametrize("given", ["-1", "nan", "inf", "1e9"])
def test_what_is_no_time_to_wait_is_refused_with_what_is(
    given: str, kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kernelbench("--wait-quiet", given) == 2
    assert "--wait-quiet" in (err := capsys.readouterr().err)
    assert "give seconds from 0 (do not wait) to 3600" in err


def test_the_default_wait_is_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERNELBENCH_RUN_WAIT_QUIET")
    (option,) = [option for option in command.params if option.name == "wait_quiet"]
    assert option.default == 10.0
