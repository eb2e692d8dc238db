"""What a worker does for each request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import UNSET

from kernelbench.ceilings import probes
from kernelbench.kernels import _registry as registry
from kernelbench.model import Case, Work
from kernelbench.native.assembly import isa_used
from kernelbench.protocol import (
    Burst,
    CaseFailed,
    CaseInfo,
    CaseMeasured,
    Catalogue,
    CatalogueReply,
    Ceilings,
    Compile,
    Compiled,
    Describe,
    Described,
    Dissect,
    Measure,
    Open,
    Opened,
    ProbeCeilings,
    Ready,
    Reply,
    Shut,
    Waiting,
    WorkerSetup,
)
from kernelbench.protocol.inspect import Inspect
from kernelbench.timing.arena import Arena
from kernelbench.timing.loops import Calls, empty_kernel
from kernelbench.timing.shared import attached
from kernelbench.units import size_bytes
from kernelbench.worker import cost, modules, pools, threads
from kernelbench.worker.bench import Bench, CaseError, cold_sets, one_line
from kernelbench.worker.entry import compiled_again, is_jitted
from kernelbench.worker.image import Image, scratch_from
from kernelbench.worker.inspecting import inspect
from kernelbench.worker.jitcache import Facts, JitCache, source_hash
from kernelbench.worker.problems import Problems
from kernelbench.worker.profiling import dissect
from kernelbench.worker.returned import as_struct
from kernelbench.worker.trial import Trial
from kernelbench.worker.turns import Turns

HELD_BYTES = 256 << 20
"""Operands of cases that wait for a quiet moment, all together; what does not fit is measured as it comes."""


class Service:
    """The state of one worker process."""

    def __init__(self, setup: WorkerSetup, notify: Callable[[str], None]) -> None:
        """``notify`` announces a stage. Imports the catalogue and the user's modules."""
        self._setup = setup
        self._notify = notify
        registry.load_catalogue()
        self._loaded = modules.load(setup.modules)
        self.source_hash = source_hash(self._loaded.files)
        self._cache = JitCache(self.source_hash, setup.isa)
        for variant in registry.variants().values():
            if is_jitted(variant.function):
                self._cache.enable(variant.function)
        self._cache.enable(pools.touch)
        self._stage = "import"
        self._problems = Problems()
        self._held: dict[tuple[str, int, int], Trial] = {}
        self._shared, self._why_private = attached(setup.memory)
        self._turns: Turns | None = None

    def ready(self, pid: int) -> Ready:
        """Pin the threads, start the pools, and say who we are."""
        threads.pin(self._setup.cpus, pools.start)
        calls = 100_000
        loop = Calls(empty_kernel(), [0])
        return Ready(
            pid=pid,
            thread_layer=pools.thread_layer(),
            source_hash=self.source_hash,
            timer_resolution_s=time.get_clock_info("perf_counter").resolution,
            empty_call_s=min(loop(calls) for _ in range(5)) / calls,
        )

    def answer(self, request: Any) -> Reply:
        """The reply to one request."""
        match request:
            case Catalogue():
                return self._catalogue()
            case Describe(cases=cases):
                return Described(tuple(self._describe(case) for case in cases))
            case Compile(case=case):
                return self._safely(lambda: self._compile(case))
            case Measure():
                return self._safely(lambda: self._measure(request))
            case Dissect():
                return self._safely(lambda: dissect(request, self._bench, self._setup, self._in_stage, self._cache))
            case ProbeCeilings():
                return self._ceilings(request)
            case Inspect(case=case, seed=seed):
                return self._safely(lambda: inspect(request, self._bench(case, seed), self._in_stage))
            case Open():
                return self._safely(lambda: self._open(request))
            case Burst():
                return self._safely(lambda: self._opened().burst(request))
            case Shut():
                return self._safely(lambda: self._shut(request))
        raise TypeError(f"no such request: {request!r}")

    def _safely(self, action: Callable[[], Reply]) -> Reply:
        try:
            return action()
        except CaseError as error:
            return CaseFailed(error.stage, error.message)
        except MemoryError as error:
            return CaseFailed(self._stage, f"out of memory: {error}" if str(error) else "out of memory")

    @contextmanager
    def _in_stage(self, name: str) -> Iterator[None]:
        """Announce a stage; what the variant's own Python code raises in it fails the case, not the worker."""
        self._stage = name
        self._notify(name)
        try:
            yield
        except (CaseError, MemoryError):
            raise
        except Exception as error:
            raise CaseError(name, one_line(error)) from error

    def _catalogue(self) -> CatalogueReply:
        return CatalogueReply(
            ops=tuple(op.info for op in registry.ops().values()),
            variants=modules.infos(self._loaded),
            broken_modules=self._loaded.broken,
        )

    def _describe(self, case: Case) -> CaseInfo:
        variant = registry.variants()[case.variant]
        try:
            work = as_struct(variant.work(case.settings, case.dtype), Work)
            needed = cost.memory_bytes(variant, case, work, self._setup.last_level_bytes)
        except Exception as error:
            # A user's work model runs here; whatever it raises is a reason not to run the case.
            return CaseInfo(case.id, skip=f"its work model fails for this shape: {one_line(error)}")
        return CaseInfo(case.id, work=work, memory_bytes=needed)

    def _bench(self, case: Case, seed: int, arena: Arena | None = None) -> Bench:
        variant = registry.variants()[case.variant]
        with self._in_stage("inputs"):
            work = variant.work(case.settings, case.dtype)
            size = 0.0 if work.working_set_bytes is UNSET else work.working_set_bytes
            sets = cold_sets(case, size, self._setup.last_level_bytes)
            problem = self._problems.get(variant.op, case, seed)
            return Bench(variant, case, problem, self._setup.cpus, sets, arena)

    def _compile(self, case: Case) -> Compiled:
        variant = registry.variants()[case.variant]
        if not variant.compiled:
            return Compiled(0.0, 0, 0)
        bench = self._bench(case, 0)
        started = time.perf_counter()
        with self._in_stage("compile"):
            entry = bench.compile()
        assert entry is not None, "a compiled variant has an entry"
        if not is_jitted(variant.function):
            return Compiled(0.0, 0, 0)
        hits, misses = entry.cache_hits, entry.cache_misses
        facts = self._cache.recall(variant.name, case.dtype)
        if misses or facts is None:
            result = entry.result
            if not misses:  # whoever made this code was killed before it could tell of it
                started = time.perf_counter()
                result = compiled_again(variant.function, bench.arguments)
            # A library's kernel is not in the code that calls it.
            used = UNSET if variant.style == "library" else isa_used(result.library.get_asm_str())
            facts = Facts(time.perf_counter() - started, used)
            self._cache.remember(variant.name, case.dtype, facts)
        return Compiled(facts.compile_s, hits, misses, facts.isa_used)

    def _measure(self, request: Measure) -> CaseMeasured | Waiting:
        """One visit to the case; where it was too busy for one, the case is held for the next."""
        variant = registry.variants()[request.case.variant]
        key = (request.case.id, request.seed, request.round)
        trial = self._held.pop(key, None)
        if trial is None:
            trial = Trial(self._bench(request.case, request.seed), variant, request, self._setup, self._in_stage)
            trial.verify()
            if request.verify_only:
                trial.verify_inputs()
                return trial.verified(self._cache.recall(variant.name, request.case.dtype))
            trial.warm_up()
        held = trial.size_bytes + sum(other.size_bytes for other in self._held.values())
        if not trial.visit() and not request.last and held <= HELD_BYTES:
            self._held[key] = trial
            return Waiting(request.case.id)
        return trial.finish(self._cache.recall(variant.name, request.case.dtype))

    def _open(self, request: Open) -> Opened:
        """The case, in the shared memory where it fits."""
        case = request.case
        if case.variant not in registry.variants():
            raise CaseError("import", f"there is no {case.variant} on this side")
        variant = registry.variants()[case.variant]
        work = as_struct(variant.work(case.settings, case.dtype), Work)
        bench, image, why_private = self._placed(case, request.seed)
        self._turns = Turns(bench, image, variant, request, self._setup, self._in_stage)
        shared = self._shared is not None and not why_private
        return self._turns.open(work, shared=shared, why_private=why_private)

    def _placed(self, case: Case, seed: int) -> tuple[Bench, Image, str]:
        """The case and its memory; why that is not the shared one, empty where it is or there is none."""
        why = self._why_private
        if self._shared is not None:
            arena = Arena(0, self._setup.cpus, self._shared, guarded=True)
            try:
                with scratch_from(arena.block) as scratch:
                    bench = self._bench(case, seed, arena)
                return bench, Image(bench, scratch, arena.address), ""
            except MemoryError:
                why = f"the operands do not fit into {size_bytes(arena.size_bytes)} of shared memory"
        bench = self._bench(case, seed)
        return bench, Image(bench, [], bench.arena.address), why

    def _opened(self) -> Turns:
        if self._turns is None:
            raise CaseError("timing", "no case is open")
        return self._turns

    def _shut(self, request: Shut) -> CaseMeasured:
        turns, self._turns = self._opened(), None
        return turns.shut(request)

    def _ceilings(self, request: ProbeCeilings) -> Ceilings:
        threads.wait_until_idle()
        return Ceilings(probes.probe(request, self._setup.cpus))
