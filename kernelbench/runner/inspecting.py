"""What the compiler made of a kernel, asked of workers: the cases, their code, and the time of a call beside it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench import config as configuration
from kernelbench.config import Config, Matrix
from kernelbench.errors import UsageError, WorkerError
from kernelbench.machine import detect
from kernelbench.model import Case, Machine, Unknown, VariantInfo, Work
from kernelbench.model.inspection import Inspection
from kernelbench.protocol import (
    Broken,
    CaseFailed,
    CaseInfo,
    CaseMeasured,
    CatalogueReply,
    Effort,
    Inspect,
    Inspected,
    Measure,
    WorkerSetup,
)
from kernelbench.runner.choosing import dtype_of, one_variant, planned
from kernelbench.runner.host import last_level, pinning, worker_memory
from kernelbench.runner.job import START_TIMEOUT_S, Worker, WorkerFactory, expect_ready
from kernelbench.runner.library import Librarian, librarian, process_factory
from kernelbench.runner.process import Died

SETTLED_EFFORT = Effort(samples=24, round_s=0.3)
"""One round decides: longer than one of many."""
REUSING = 8.0
"""FLOP per byte of operands from which a kernel works out of its registers: then operands in L2 do not hold it up."""


class Asked(Struct, frozen=True):
    """What to inspect."""

    kernels: tuple[str, ...]
    """One variant, or the two to be compared."""
    dtype: str = ""
    """Empty: the first of f32 and the variant's own."""
    isa: tuple[str, ...] = ("native",)
    size: str = ""
    """As --sizes takes it, one size; empty: chosen for the caches."""
    params: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    threads: int = 1
    seed: int = 0
    timed: bool = True
    timeout_s: float = 120.0
    """For one answer of a worker."""


class Failure(Struct, frozen=True):
    """A case whose code could not be inspected."""

    case: Case
    message: str


Show = Callable[[str], None]


def inspect(asked: Asked, show: Show = lambda _: None) -> tuple[Inspection | Failure, ...]:
    """Inspect every case of ``asked``, one for each kernel and ISA level; ``show`` hears what is going on.

    Raises UsageError for what names nothing and for what cannot run here.
    """
    machine = detect()
    memory_bytes = worker_memory(machine, 0)
    workers = process_factory(memory_bytes, last_level(machine))
    settled = _configuration(asked)
    with librarian(settled.modules, workers) as library:
        known = library.catalogue()
        variants = [readable(one_variant(name, known, "inspect")) for name in asked.kernels]
        if asked.threads > 1 and not any(variant.parallel for variant in variants):
            raise UsageError(f"{variants[0].name} works on one thread: leave --threads {asked.threads} out")
        cases = tuple(_cases(asked, settled, variants, known, library, machine, memory_bytes))
    return tuple(_inspected(case, asked, settled, machine, workers, show) for case in cases)


def readable(variant: VariantInfo) -> VariantInfo:
    """``variant``, if its own code is compiled here. Raises UsageError otherwise."""
    if variant.unavailable:
        raise UsageError(f"{variant.name} cannot run here: {variant.unavailable}")
    if not variant.compiled or variant.style == "library":
        what = "lies in a library" if variant.compiled else "is called from Python"
        raise UsageError(f"{variant.name} {what}: there is no code of it that could be read; inspect a compiled one")
    return variant


def _configuration(asked: Asked) -> Config:
    matrix = Matrix(threads=(asked.threads,), sizes=(asked.size,) if asked.size else ())
    flags = configuration.Flags(params=asked.params, modules=asked.modules, isa=asked.isa)
    return configuration.override(Config(seed=asked.seed, matrix=(matrix,)), flags)


def _cases(
    asked: Asked,
    settled: Config,
    variants: list[VariantInfo],
    known: CatalogueReply,
    library: Librarian,
    machine: Machine,
    memory_bytes: int,
) -> Iterator[Case]:
    for variant in variants:
        dtype = dtype_of(variant, asked.dtype)
        threads = settled.matrix[0].threads if variant.parallel else (1,)
        narrow = replace(settled.matrix[0], kernels=(variant.name,), dtypes=(dtype,), threads=threads)
        plan, infos = planned(replace(settled, matrix=(narrow,)), known, variant, library, machine, memory_bytes)
        for isa in settled.matrix[0].isa:
            fitting = [case for case in plan.cases if case.isa == isa]
            if not fitting:
                why = next((why for case, why in plan.skipped if case.isa == isa), "no size fits it")
                raise UsageError(f"{variant.name} at isa {isa} cannot be inspected: {why}")
            yield _nearby(fitting, infos, machine)


def _nearby(cases: list[Case], infos: tuple[CaseInfo, ...], machine: Machine) -> Case:
    """The largest that stays near the core, where the loop itself is seen and not the memory; else the smallest."""
    works = {info.case_id: info.work for info in infos}
    sizes = {case.id: _known(works[case.id].working_set_bytes) for case in cases}
    near = [case for case in cases if sizes[case.id] <= _room(works[case.id], machine)]
    return max(near, key=lambda case: sizes[case.id]) if near else min(cases, key=lambda case: sizes[case.id])


def _room(work: Work, machine: Machine) -> float:
    """Bytes of operands that a kernel finds near: half of L2 where it reuses them, else L1."""
    reuses = _known(work.flop) >= REUSING * max(1.0, _known(work.working_set_bytes))
    level = 2 if reuses else 1
    if isinstance(machine.caches, Unknown):
        return 0.0
    sizes = [cache.size_bytes for cache in machine.caches if cache.level == level and cache.kind != "instruction"]
    known = [float(size) for size in sizes if not isinstance(size, Unknown)]
    return max(known, default=0.0) * (0.5 if reuses else 1.0)


def _known(value: float | UnsetType) -> float:
    return 0.0 if isinstance(value, UnsetType) else value


def _inspected(
    case: Case, asked: Asked, settled: Config, machine: Machine, workers: WorkerFactory, show: Show
) -> Inspection | Failure:
    cpus = pinning(machine, {case.threads})[case.threads]
    design = machine.cpu.microarchitecture
    setup = WorkerSetup(case.threads, cpus, isa=case.isa, modules=settled.modules)
    with closing(workers(setup)) as worker:
        problem = _start(worker)
        if problem:
            return Failure(case, problem)
        timing = _timed(case, asked, worker, show)
        if isinstance(timing, Failure):
            return timing
        show(f"reading the code of {case.id}")
        answer = _asked_of(worker, case, asked, "" if isinstance(design, Unknown) else design, count=True)
    if isinstance(answer, Died):
        # The copy that counts is made of the kernel's own text; where it ends the process, its code still can be read.
        with closing(workers(setup)) as worker:
            problem = _start(worker)
            again = _asked_of(worker, case, asked, "" if isinstance(design, Unknown) else design, count=False)
        if isinstance(again, Inspected) and not problem:
            lost = f"the copy that counts ended its process ({answer.message})"
            return replace(_with(again.inspection, timing), uncounted=lost)
    if isinstance(answer, Inspected):
        return _with(answer.inspection, timing)
    if answer.stage == "inspect":
        raise UsageError(f"{case.variant} cannot be inspected: {answer.message}")
    return Failure(case, f"{answer.stage}: {answer.message}")


def _start(worker: Worker) -> str:
    answer = worker.start(START_TIMEOUT_S)
    if isinstance(answer, Broken):
        raise WorkerError(f"a worker failed at its start: {answer.message}")
    ready = expect_ready(answer)
    return f"{ready.stage}: {ready.message}" if isinstance(ready, Died) else ""


def _asked_of(worker: Worker, case: Case, asked: Asked, design: str, *, count: bool) -> Inspected | CaseFailed | Died:
    answer = worker.request(Inspect(case, asked.seed, design, count), asked.timeout_s)
    if isinstance(answer, Inspected | CaseFailed | Died):
        return answer
    raise WorkerError(answer.message if isinstance(answer, Broken) else f"a worker answered {type(answer).__name__}")


class _Timing(Struct, frozen=True):
    call_s: float | UnsetType = UNSET
    clock_hz: float | UnsetType = UNSET
    why_not: str = ""


def _timed(case: Case, asked: Asked, worker: Worker, show: Show) -> _Timing | Failure:
    """The fastest sample of one round, verified before and after, and the core's clock then."""
    if not asked.timed:
        return _Timing(why_not="timing was not asked for")
    show(f"timing {case.id}")
    request = Measure(case, asked.seed, 0, SETTLED_EFFORT, started_at=time.monotonic())
    answer = worker.request(request, asked.timeout_s)
    if isinstance(answer, CaseFailed | Died):
        return Failure(case, f"{answer.stage}: {answer.message}")
    if isinstance(answer, Broken):
        raise WorkerError(answer.message)
    if not isinstance(answer, CaseMeasured) or isinstance(answer.round, UnsetType):
        raise WorkerError(f"a worker answered {type(answer).__name__} to a request to measure")
    best = min(answer.round.samples_s)
    # Disturbance makes the clock look lower, never higher: the fastest sample belongs to the highest.
    clock = max(answer.round.interference.clock_hz, default=UNSET)
    why = "the core's clock is not known on this architecture" if isinstance(clock, UnsetType) else ""
    return _Timing(best, clock, why)


def _with(found: Inspection, timing: _Timing) -> Inspection:
    return replace(found, call_s=timing.call_s, clock_hz=timing.clock_hz, untimed=timing.why_not)
