"""A case held open in one worker and timed in turns with the same case in another: one side of a paired comparison."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec import UNSET

from kernelbench.kernels._registry import Variant
from kernelbench.model import Accuracy, Work
from kernelbench.protocol import Burst, CaseMeasured, Open, Opened, Shut, Slices, WorkerSetup
from kernelbench.timing import sampling
from kernelbench.timing.sampling import CLOCKS, LONG_S
from kernelbench.timing.warmup import calibrate, warm_up
from kernelbench.worker import cost, slowdown, threads
from kernelbench.worker.bench import Bench, CaseError
from kernelbench.worker.entry import Entry
from kernelbench.worker.image import Image

InStage = Callable[[str], AbstractContextManager[None]]
"""Announces a stage; what the variant's code raises in it fails the case."""

WARM_SLICES = 1
"""Slices that warm the caches again: one will do, for in shared memory the other side's operands are ours as well."""
SETTLE_S = 0.004
"""A warm-up looks at samples of this length."""


class Turns:
    """``open`` it, time it in ``burst``s as often as wanted, ``shut`` it."""

    def __init__(
        self, bench: Bench, image: Image, variant: Variant, request: Open, setup: WorkerSetup, stage: InStage
    ) -> None:
        self._bench, self._image, self._variant, self._request = bench, image, variant, request
        self._setup, self._stage = setup, stage
        self._watch = cost.Watch(own_cores=not setup.shares_cores)
        self._clocks: list[float] = []
        self._entry: Entry | None = None
        self._extra = 0

    def open(self, work: Work, *, shared: bool, why_private: str = "") -> Opened:
        """Compile, verify, warm up; how many calls make a slice. Where its operands lie is passed on."""
        bench, slow = self._bench, self._request.slowdown > 0
        with self._stage("compile"):
            self._entry = entry = bench.compile(can_do_extra=slow or self._request.like_slowed)
        with self._stage("verify"):
            bench.fill_outputs()
            first_s = bench.call_once("verify")
            threads.place_new(self._setup.cpus)
            self._accuracy: Accuracy = bench.verify("verify")
            bench.verify_again("verify")
        threads.wait_until_idle()
        with self._stage("warm-up"):
            slice_s = sampling.shortest_slice_s(time.get_clock_info("perf_counter").resolution)
            calls, took = bench.guarded(lambda: calibrate(bench.run, slice_s, first_s), "warm-up")
            many = max(1, int(SETTLE_S / took))
            bench.guarded(lambda: warm_up(bench.run, many * calls, many * took, self._request.warmup_s), "warm-up")
            self._long = took > LONG_S
            self._clocks = [self._watch.clock_hz() for _ in range(CLOCKS)]
        slowed = 0.0
        if slow:
            if entry is None:
                raise CaseError("warm-up", "extra work can be put into compiled kernels only")
            slowed = self._slow_down(entry, calls)
            self._extra = entry.extra.value
        return Opened(
            accuracy=self._accuracy,
            work=work,
            calls=calls,
            call_s=took / calls,
            layout=self._image.layout,
            shared=shared,
            why_private=why_private,
            why_own_code="" if self._entry is None else self._entry.placed.why_private,
            slowed=slowed,
            extra_steps=self._extra,
        )

    def _slow_down(self, entry: Entry, calls: int) -> float:
        request, run = self._request, self._bench.run
        if request.extra_steps:
            return slowdown.again(entry, run, calls, request.extra_steps)
        return slowdown.apply(entry, run, calls, request.slowdown, max(self._clocks))

    def burst(self, request: Burst) -> Slices:
        """Slices in a row, after a few that bring the caches back."""
        self._take_over(restore=request.restore)
        if self._setup.threads > 1:
            threads.wait_until_idle()
        return self._bench.guarded(lambda: self._timed(request), "timing")  # type: ignore[no-any-return]

    def _take_over(self, *, restore: bool) -> None:
        """The memory as this side left it: the other has used it since. ``restore``: its operands as well."""
        if restore:
            self._image.restore()
        self._bench.write_arguments()
        if self._entry is not None:
            self._entry.extra.value = self._extra

    def _timed(self, request: Burst) -> Slices:
        run = self._bench.run
        if not self._long:
            run.slices(request.calls, WARM_SLICES)
        self._watch.start()
        batch = run.slices(request.calls, request.slices)
        seen = self._watch.stop()
        self._clocks = [*self._clocks, seen.clock_hz][-CLOCKS:]
        clock = max(self._clocks) if self._watch.sees_neighbours else 0.0
        # The looks beside the neighbouring slices count as well: a pause between two bursts of work is no quiet.
        looks = [min(batch.looks[max(0, i - 1) : i + 3]) for i in range(len(batch.seconds))]
        return Slices(
            seconds=batch.seconds,
            adds_per_cycle=tuple(look / clock for look in looks) if clock else (),
            clock_hz=seen.clock_hz,
            involuntary_switches=seen.involuntary_switches,
        )

    def shut(self, request: Shut) -> CaseMeasured:
        """Verify once more: on what the turns of both sides left, or on operands written anew where those differ."""
        bench = self._bench
        with self._stage("verify-after"):
            self._take_over(restore=request.restore)
            bench.fill_outputs()
            bench.call_once("verify-after")
            bench.verify_again("verify-after")
            bench.verify_inputs("verify-after")
        compiled = self._variant.compiled
        return CaseMeasured(
            accuracy=self._accuracy,
            timer="compiled loop" if compiled else "python loop",
            includes_python_call=not compiled,
            placement=self._setup.cpus,
            fastmath=self._variant.info.fastmath,
            huge_pages=UNSET,
        )
