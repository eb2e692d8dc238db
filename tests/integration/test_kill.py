"""A run killed with -9 leaves no process behind, and what it measured is not measured again."""

import contextlib
import math
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from msgspec import Struct

from kernelbench.model import Ceiling, Measured, Result
from kernelbench.store.files import read_result
from kernelbench.store.journal import CeilingsDone, Event, RoundDone, read
from tests.integration.tool import KERNELS, Tool, wait_for

CONFIG = f"""
rounds = 2
kernels.modules = ["{KERNELS / "faulty.py"}"]

[effort]
sample_s = 0.001
samples = 3
round_s = 0.001
warmup_s = 0

[[matrix]]
kernels = ["double/sound", "double/sound_python", "relu/vectorized"]
dtypes = ["f32"]
sizes = [64]
threads = [1]
"""
COMPILE_LANES = 2
"""Worker processes 0 and 1 compile; those that measure come after them."""
IMPORTS_S = 1.2
"""Where it takes a worker longer, it is killed a little earlier than meant; the outcome must be the same."""


class Moment(Struct, frozen=True):
    """When the run is killed."""

    reached: Callable[["Run"], bool]
    done: int
    """Case rounds that must have been kept then, at least."""


class Run:
    """A run that goes on in the background."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = psutil.Process(process.pid)
        self.journal = folder / "run.journal"

    def events(self) -> tuple[Event, ...]:
        """What the journal holds; nothing before its first line is complete."""
        begun = self.journal.exists() and b"\n" in self.journal.read_bytes()
        return read(self.journal)[1] if begun else ()

    def measured(self) -> dict[tuple[int, str], tuple[float, ...]]:
        """Samples of every case round in the journal."""
        rounds = [event for event in self.events() if isinstance(event, RoundDone)]
        return {(event.round, event.case_id): event.measured.round.samples_s for event in rounds}

    def workers(self, first: int, last: float) -> list[psutil.Process]:
        """Living workers with serial numbers from ``first`` to before ``last``."""
        return [child for child in self.process.children() if first <= serial_of(child) < last]

    def compiles(self) -> bool:
        """The run is planned and a worker is past its imports; or all have compiled before we looked."""
        planned = self.journal.exists()
        return planned and (busy(self.workers(0, COMPILE_LANES)) or bool(self.workers(COMPILE_LANES, math.inf)))

    def probes(self) -> bool:
        """The first that measures, whose first task are the ceilings, is past its imports; or has done them."""
        done = any(isinstance(event, CeilingsDone) for event in self.events())
        return done or busy(self.workers(COMPILE_LANES, math.inf))

    def measures(self) -> bool:
        """A case round is done, and most are not."""
        return len(self.measured()) >= 1


MOMENTS = {
    "compiling": Moment(Run.compiles, 0),
    "ceilings": Moment(Run.probes, 0),
    "measuring": Moment(Run.measures, 1),
}


def busy(workers: list[psutil.Process]) -> bool:
    """One of them has computed for longer than its imports take."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(worker.cpu_times().user > IMPORTS_S for worker in workers)
    return False


def serial_of(process: psutil.Process) -> int:
    """Serial number of a worker; -1 for what is no worker, or gone."""
    try:
        command = process.cmdline()
    except psutil.NoSuchProcess:
        return -1
    setup = [word for word in command if word.startswith('{"threads"')]
    return int(setup[0].partition('"serial":')[2].partition(",")[0].rstrip("}")) if setup else -1


def structure(result: Result) -> tuple[object, ...]:
    """Everything that two runs of one plan have in common: all but the numbers."""

    def record(outcome: object) -> object:
        # A round without a quiet moment is measured once more: how many are is the host's doing.
        return [one.index for one in outcome.rounds if not one.superseded] if isinstance(outcome, Measured) else outcome

    def probed(ceiling: Ceiling) -> tuple[object, ...]:
        # A card is checked until it holds, and then its probes count as well: how many are is the host's doing.
        return ceiling.id, ceiling.level, ceiling.unit, bool(ceiling.probes)

    records = [(r.case, r.work, r.placement, r.source_hash, record(r.outcome)) for r in result.records]
    return records, [probed(ceiling) for ceiling in result.ceilings], result.config, result.interrupted


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kill") / "three.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def whole(tool: Tool, config: Path) -> Result:
    """The run that nobody kills."""
    process = tool.run("run", config, "-o", "whole.json", "--no-html", folder=config.parent)
    assert process.returncode == 0, process.stderr
    return read_result(config.parent / "whole.json")


@pytest.mark.parametrize("name", MOMENTS)
def test_a_killed_run_leaves_no_process_and_resumes_to_what_an_uninterrupted_one_gives(
    name: str, tool: Tool, config: Path, whole: Result, tmp_path: Path
) -> None:
    moment = MOMENTS[name]
    # Compiling takes a cache without the code.
    cache = {"XDG_CACHE_HOME": str(config.parent)} if name == "compiling" else {}
    with tool.start("run", config, "-o", "run.json", "--no-html", folder=tmp_path, **cache) as process:
        run = Run(process, tmp_path)
        # Between two workers there is nobody to leave behind: look again.
        orphans = wait_for(lambda: run.process.children(recursive=True) if moment.reached(run) else [])
        process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(orphans, timeout=1.0)
    # Where process 1 reaps nobody (some containers) the remains stay listed as zombies.
    assert all(process.status() == psutil.STATUS_ZOMBIE for process in alive)

    before = run.measured()
    assert moment.done <= len(before) < sum(len(r.outcome.rounds) for r in whole.records)
    resumed = tool.run("run", "--resume", "run.journal", "--no-html", folder=tmp_path, **cache)
    assert resumed.returncode == 0, resumed.stderr
    result = read_result(tmp_path / "run.json")
    assert structure(result) == structure(whole)
    # Also what was measured again for want of a quiet moment is kept, as superseded.
    after = {(one.index, r.case.id, one.samples_s) for r in result.records for one in r.outcome.rounds}
    assert {(*key, samples) for key, samples in before.items()} <= after
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json"]
