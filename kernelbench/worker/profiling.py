"""One case taken apart in one process: itself and its other forms, timed in turns so that all meet the same moments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from msgspec import UNSET

from kernelbench.kernels import _registry as registry
from kernelbench.kernels._registry import Variant
from kernelbench.model import Case, Round
from kernelbench.protocol import CHANGED, CallMemory, Dissect, Dissected, Timed, WorkerSetup
from kernelbench.timing.loops import Calls
from kernelbench.timing.sampling import Batch, Runner
from kernelbench.worker import threads
from kernelbench.worker.bench import Bench, CaseError, one_line
from kernelbench.worker.callmemory import memory_of_call
from kernelbench.worker.entry import Block, PythonCalls, compiled_again, is_c, is_jitted
from kernelbench.worker.forms import Form, NoForm, empty_form, in_order, rewritten_form
from kernelbench.worker.jitcache import Facts, JitCache

LEAST_TURNS = 3
WARMUP_S = 0.02

InStage = Callable[[str], AbstractContextManager[None]]


def dissect(
    request: Dissect, make: Callable[[Case, int], Bench], setup: WorkerSetup, stage: InStage, cache: JitCache
) -> Dissected:
    """Verify the case, make its forms, time all in turns, verify again.

    Raises CaseError when the case itself fails; a form that cannot be had says why in its place.
    """
    case = request.case
    variant = registry.variants()[case.variant]
    facts = cache.recall(variant.name, case.dtype)
    return _Dissection(request, variant, lambda one: make(one, request.seed), setup, stage).run(facts)


class _Dissection:
    def __init__(
        self, request: Dissect, variant: Variant, bench_of: Callable[[Case], Bench], setup: WorkerSetup, stage: InStage
    ) -> None:
        self._request, self._variant = request, variant
        self._bench_of, self._setup, self._stage = bench_of, setup, stage
        self._missing: list[Timed] = []
        self._alive: list[Any] = []
        self._address = 0
        self._jitted = is_jitted(variant.function)

    def run(self, facts: Facts | None) -> Dissected:
        request, compiled = self._request, self._variant.compiled
        bench, accuracy = self._verified(request.case)
        start_s = time.monotonic() - request.started_at
        base = Form(request.case.id, bench.run)
        empty = empty_form(bench.arguments, jitted=self._jitted, python=not compiled)
        forms = [base, empty, *self._forms(bench)]
        threads.wait_until_idle()
        self._time(forms)
        bench.raise_status("timing")
        with self._stage("verify-after"):
            bench.fill_outputs()
            bench.call_once("verify-after")
            bench.verify_again("verify-after")
            bench.verify_inputs("verify-after")
        timed = [Timed(form.name, form.best_s, form.change) for form in forms[2:]]
        memory = CallMemory()
        if request.memory:
            threads.wait_until_idle()
            memory = memory_of_call(bench, self._inputs(bench), self._runner_of, compiled=compiled)
        return Dissected(
            round=Round(0, start_s, tuple(base.turns_s), base.sample_calls, self._setup.serial),
            accuracy=accuracy,
            timer="compiled loop" if compiled else "python loop",
            includes_python_call=not compiled,
            placement=self._setup.cpus,
            fastmath=self._variant.info.fastmath,
            call_s=base.best_s,
            empty_call_s=empty.best_s,
            timed=(*timed, *self._missing),
            memory=memory,
            huge_pages=bench.arena.huge_share(),
            isa_used=facts.isa_used if facts else UNSET,
            compile_s=facts.compile_s if facts and compiled else UNSET,
        )

    def _verified(self, case: Case) -> tuple[Bench, Any]:
        bench = self._bench_of(case)
        self._alive.append(bench)
        with self._stage("compile"):
            entry = bench.compile()
        self._address = self._address or (entry.address if entry else 0)
        with self._stage("verify"):
            bench.fill_outputs()
            bench.call_once("verify")
            threads.place_new(self._setup.cpus)
            accuracy = bench.verify("verify")
        return bench, accuracy

    def _forms(self, bench: Bench) -> Iterator[Form]:
        request = self._request
        for case in request.others:
            with self._or_missing(case.id):
                yield Form(case.id, self._verified(case)[0].run)
        yield from self._rewritten(bench)
        if request.sorted_indices:
            with self._or_missing("sorted indices"):
                yield self._sorted(bench)
        if request.one_thread:
            with self._or_missing("one thread"):
                yield Form("one thread", self._alone(bench), "one thread of its pool does all")

    def _rewritten(self, bench: Bench) -> Iterator[Form]:
        names = self._request.rewrites
        if not names:
            return
        if not self._jitted:
            why = "its code is not compiled here" if self._variant.compiled else "it is called from Python"
            self._missing += [Timed(name, skipped=why) for name in names]
            return
        with self._stage("compile"):
            result = compiled_again(self._variant.function, bench.arguments)
        text, symbol = result.library.get_llvm_str(), result.fndesc.llvm_func_name
        for name in names:
            with self._or_missing(name), self._stage(f"{CHANGED}{name}"):
                yield rewritten_form(name, text, symbol, bench.arguments, self._setup.isa)

    def _inputs(self, bench: Bench) -> int:
        case = self._request.case
        return len(bench.arguments) - len(self._variant.outputs(case.settings, case.dtype))

    def _runner_of(self, arguments: Sequence[Any]) -> Runner:
        """The kernel on other arguments than its own."""
        function, case = self._variant.function, self._request.case
        if not self._variant.compiled:
            return PythonCalls(function, [arguments])
        outputs = len(self._variant.outputs(case.settings, case.dtype))
        words = function.bound(arguments, case.settings, outputs) if is_c(function) else arguments
        block = Block(words)
        self._alive.append((block, arguments))
        return Calls(self._address, [block.address])

    def _sorted(self, bench: Bench) -> Form:
        arguments = in_order(bench.arguments, self._inputs(bench))
        return Form("sorted indices", self._runner_of(arguments), "indices in rising order")

    def _alone(self, bench: Bench) -> Runner:
        if not self._variant.parallel or not self._jitted or self._setup.threads < 2:
            raise NoForm("no parallel loop of ours runs on several threads")
        return _Alone(bench.run)

    @contextmanager
    def _or_missing(self, name: str) -> Iterator[None]:
        try:
            yield
        except CaseError as error:
            self._missing.append(Timed(name, skipped=error.message))
        except Exception as error:
            # Code of the user's (inputs, checks) at another size: whatever it raises costs this form only.
            self._missing.append(Timed(name, skipped=one_line(error)))

    def _time(self, forms: list[Form]) -> None:
        for form in forms:
            # Named, so that it is known which one hangs or crashes: a loop may end only when its arithmetic is right.
            with self._stage(f"{CHANGED}{form.name}"):
                form.prepare(WARMUP_S)
        ends = time.monotonic() + self._request.budget_s
        with self._stage("timing"):
            self._take_turns(forms, ends)

    def _take_turns(self, forms: list[Form], ends: float) -> None:
        turns = 0
        while turns < LEAST_TURNS or time.monotonic() < ends:
            for form in forms:
                if self._setup.threads > 1:
                    threads.wait_until_idle(0.02)
                form.turn()
            turns += 1


class _Alone:
    """A parallel kernel on one thread of its pool: the same code, in turns with itself on all."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def __call__(self, calls: int) -> float:
        with _one_thread():
            return self._run(calls)

    def slices(self, calls: int, count: int) -> Batch:
        with _one_thread():
            return self._run.slices(calls, count)


@contextmanager
def _one_thread() -> Iterator[None]:
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)
