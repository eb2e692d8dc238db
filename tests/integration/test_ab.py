"""`kernelbench ab` with real processes: two small kernel files, and every way in which a side can differ.

Where a verdict is asserted, one side does eight times the work; no other verdict here depends on a time.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kernelbench.gate import pair as pairs
from kernelbench.gate.pair import Pair
from kernelbench.gate.sides import Side
from kernelbench.gate.start import starter
from kernelbench.protocol import Burst, Request, WorkerSetup
from kernelbench.runner.process import WorkerProcess
from kernelbench.store.files import read_result
from tests.integration.tool import GIB, KERNELS, Tool, case, wait_for

BASE, HEAD = KERNELS / "ab_base.py", KERNELS / "ab_head.py"
SIZE = ("-s", "1000", "-t", "1", "--wait-quiet", "0", "--quiet")
SHORT = ("--time-budget", "1")
"""No round more than the first look takes."""
LONG_S = 400.0
"""Ends a test that hangs: many processes are started one after the other, on a host that may be busy."""
MIB = 1 << 20


def ab(tool: Tool, folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """`kernelbench ab WORDS` in ``folder``, to its end."""
    with tool.start("ab", *words, *SIZE, folder=folder) as process:
        out, err = process.communicate(timeout=LONG_S)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


class Mixed:
    """One comparison of everything but the slow kernel."""

    def __init__(self, tool: Tool, folder: Path) -> None:
        words = ("-k", "scale/*", "-k", "square/*", *SHORT, "--format", "json=ab.json.txt", "-o", "ab.json")
        self.done = ab(tool, folder, BASE, HEAD, *words)
        self.folder = folder
        (found,) = json.loads((folder / "ab.json.txt").read_text())["comparisons"]
        self.cells = {cell["case_id"].rsplit("/", 3)[0]: cell for cell in found["comparison"]["cells"]}


@pytest.fixture(scope="module")
def mixed(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    return Mixed(tool, tmp_path_factory.mktemp("mixed"))


def test_a_crash_or_a_wrong_result_is_exit_code_4(mixed: Mixed) -> None:
    assert mixed.done.returncode == 4, mixed.done.stderr


@pytest.mark.parametrize(
    ("variant", "verdict", "reason"),
    [
        ("scale/gone", "missing", "only on BASE"),
        ("scale/fresh", "new", "only on HEAD"),
        ("scale/wrong", "failed", "failed on HEAD (verify): wrong result"),
        ("scale/crashes", "failed", "failed on BASE (verify): killed by SIGSEGV"),
        ("square/shaped", "incomparable", "shape differs: {'n': 1000} on BASE, {'m': 1000, 'n': 1000} on HEAD"),
    ],
)
def test_a_side_that_differs_is_told_with_the_reason(mixed: Mixed, variant: str, verdict: str, reason: str) -> None:
    cell = mixed.cells[variant]
    assert (cell["verdict"], cell["reason"][: len(reason)]) == (verdict, reason)


@pytest.mark.parametrize("variant", ["scale/same", "scale/prepared"])
def test_what_is_right_on_both_sides_is_measured_beside_what_fails(mixed: Mixed, variant: str) -> None:
    assert mixed.cells[variant]["verdict"] in ("unchanged", "ambiguous", "improved", "regressed")
    assert mixed.cells[variant]["base_rounds"] >= 6


def test_the_file_reads_back_with_every_round_in_shared_memory(mixed: Mixed) -> None:
    kept = {cell.case.variant: cell for cell in read_result(mixed.folder / "ab.json").paired}
    assert kept["scale/same"].shared
    assert len(kept["scale/same"].screen) >= 6
    assert kept["scale/gone"].verdict == "missing"


def test_twice_the_work_and_more_is_a_confirmed_regression(tool: Tool, tmp_path: Path) -> None:
    done = ab(tool, tmp_path, BASE, HEAD, "-k", "slow/*", *SHORT)
    assert done.returncode == 1, done.stderr
    assert "1 regressed" in done.stdout


@pytest.mark.slow
def test_the_same_file_twice_is_an_a_a_without_a_regression(tool: Tool, tmp_path: Path) -> None:
    done = ab(tool, tmp_path, HEAD, HEAD, "-k", "slow/*", *SHORT, "--threshold", "50%")
    assert done.returncode == 0, done.stderr
    assert "this is an A/A" in done.stdout


def test_nothing_in_common_is_exit_code_5(tool: Tool, tmp_path: Path) -> None:
    done = ab(tool, tmp_path, BASE, HEAD, "-k", "scale/gone")
    assert done.returncode == 5
    assert "nothing in common" in done.stderr


@pytest.mark.parametrize("broken", ["import nothing_of_that_name\n", "import os\nos.abort()\n"], ids=["raises", "dies"])
def test_a_file_that_cannot_be_imported_is_one_line_and_exit_code_2(tool: Tool, tmp_path: Path, broken: str) -> None:
    (tmp_path / "broken.py").write_text(broken)
    done = ab(tool, tmp_path, "broken.py", HEAD, "-k", "slow/*")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "broken.py" in line


def test_a_ref_that_does_not_exist_is_exit_code_2(tool: Tool, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    done = ab(tool, tmp_path, "no-such-branch", HEAD)
    assert done.returncode == 2
    assert "no-such-branch" in done.stderr


def test_a_killed_comparison_leaves_no_process_although_one_is_stopped(tool: Tool, tmp_path: Path) -> None:
    with tool.start("ab", HEAD, HEAD, "-k", "slow/*", *SIZE, folder=tmp_path) as process:
        parent = psutil.Process(process.pid)
        orphans = wait_for(lambda: with_one_stopped(parent.children(recursive=True)))
        process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(orphans, timeout=1.0)
    # Where process 1 reaps nobody (some containers) the remains stay listed as zombies.
    assert all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


def with_one_stopped(processes: list[psutil.Process]) -> list[psutil.Process]:
    """``processes``, or none of them where none is stopped."""
    with contextlib.suppress(psutil.NoSuchProcess):  # one has just ended: look again
        if any(one.status() == psutil.STATUS_STOPPED for one in processes):
            return processes
    return []


def state_of(pid: int) -> str:
    """T: stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class Watched:
    """A real pair, and the states of both processes whenever one was asked something."""

    def __init__(self, memory_bytes: int) -> None:
        self.workers: list[WorkerProcess] = []
        self.seen: list[tuple[str, str]] = []
        """(state of the one asked, state of the other)."""
        sides = [starter(Side(file.name, "file", modules=(str(file),)), 4 * GIB, 1 * MIB) for file in (BASE, HEAD)]

        def start(side: int, setup: WorkerSetup) -> WorkerProcess:
            self.workers.append(sides[side](setup))
            return self.workers[-1]

        self.pair = Pair(start, WorkerSetup(1, (min(os.sched_getaffinity(0)),)), memory_bytes, LONG_S)

    def note(self, asked: WorkerProcess) -> None:
        (other,) = (one for one in self.workers if one is not asked)
        self.seen.append((state_of(asked.pid), state_of(other.pid)))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    made = Watched(64 * MIB)
    ask = WorkerProcess.request

    def request(worker: WorkerProcess, message: Request, timeout_s: float) -> object:
        made.note(worker)
        return ask(worker, message, timeout_s)

    monkeypatch.setattr(WorkerProcess, "request", request)
    with made.pair:
        yield made


def test_the_idle_side_is_stopped_while_the_other_is_timed(watched: Watched) -> None:
    opening = watched.pair.open(case("scale/same", 1000), 0)
    for side in (0, 1, 0):
        watched.pair.burst(side, Burst(opening.calls, 3, opening.restore))
    watched.pair.shut(restore=False)
    assert all(asked != "T" and other == "T" for asked, other in watched.seen)
    assert len(watched.seen) == 2 + 3 + 2
    assert [state_of(worker.pid) for worker in watched.workers] == ["T", "T"]


def test_equal_cases_lie_at_the_same_place_and_other_preparations_are_restored(watched: Watched) -> None:
    same = watched.pair.open(case("scale/same", 1000), 0)
    assert same.shared
    assert same.base.layout == same.head.layout
    watched.pair.shut(restore=False)
    other = watched.pair.open(case("scale/prepared", 1000), 0)
    assert other.restore
    assert (other.base.why_own_code, other.head.why_own_code) == ("", "")
    for side in (0, 1, 1, 0):
        watched.pair.burst(side, Burst(other.calls, 3, other.restore))
    watched.pair.shut(restore=other.restore)  # verifies both: each side has run its own code


def test_a_case_too_large_for_the_shared_memory_works_in_its_own_and_says_why(watched: Watched) -> None:
    opening = watched.pair.open(case("scale/same", 16 * MIB), 0)
    assert not opening.shared
    assert opening.base.why_private == "the operands do not fit into 54 MiB of shared memory"
    watched.pair.burst(0, Burst(1, 1, opening.restore))
    watched.pair.shut(restore=False)


def test_where_a_worker_cannot_map_the_memory_each_side_works_in_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "ADDRESS", 8)  # no page begins there
    with Watched(8 * MIB).pair as pair:
        opening = pair.open(case("scale/same", 1000), 0)
        assert not opening.shared
        assert opening.base.why_private.startswith("cannot map 8388608 bytes at 0x8: ")
        pair.shut(restore=False)
