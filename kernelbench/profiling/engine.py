"""``profile``: detect, select, take apart, sweep, judge; the result is a file of kind "profile"."""

from datetime import UTC, datetime

from msgspec.structs import replace

from kernelbench import config as configuration
from kernelbench.machine import detect
from kernelbench.model import SCHEMA_VERSION, Result
from kernelbench.profiling.assembling import profile_of, record_of
from kernelbench.profiling.evidence import sizes_of, take_apart
from kernelbench.profiling.request import Request
from kernelbench.profiling.selecting import configuration as settled
from kernelbench.profiling.selecting import select
from kernelbench.profiling.sweeps import Sweeps, planned, sweep
from kernelbench.runner.host import last_level, worker_memory
from kernelbench.runner.job import Position, Progress
from kernelbench.runner.library import librarian, process_factory
from kernelbench.runner.tool import this_tool

STEPS = 3
"""Of the progress bar: selecting, taking apart, sweeping."""


def profile(request: Request, progress: Progress) -> Result:
    """One kernel in depth, as a result of kind "profile"; nothing is written.

    Raises UsageError for what cannot be selected, KernelFailed (exit code 4) when the kernel is wrong or crashes,
    WorkerError when kernelbench's own code does.
    """
    created = datetime.now(UTC).isoformat(timespec="seconds")
    machine = detect()
    memory_bytes = worker_memory(machine, 0)
    workers = process_factory(memory_bytes, last_level(machine))
    progress.show(Position("selecting", 0, STEPS, request.kernel, steady=False))
    with librarian(settled(request).modules, workers) as library:
        subject = select(request, library, machine, memory_bytes)
        sizes = sizes_of(subject, library)
    progress.show(Position("bounds", 1, STEPS, subject.case.id, steady=False))
    apart = take_apart(subject, sizes, workers, effort=request.effort)
    plan, done = None, Sweeps()
    if request.effort != "bounds":
        plan = planned(subject, sizes, apart.whole.call_s, request.effort)
        done = sweep(subject, plan, progress)
    return Result(
        schema_version=SCHEMA_VERSION,
        kind="profile",
        kernelbench=this_tool(),
        created=created,
        config=configuration.as_dict(replace(subject.config, modules=(), extra_modules=())),
        machines={machine.id: machine},
        ceilings=done.ceilings,
        records=done.records or (record_of(subject, apart.whole),),
        profile=profile_of(subject, apart, plan, done),
        interrupted=done.interrupted,
        notes=done.notes,
    )
