"""One case in one round, from its operands to its measured round; it may be left and taken up again in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec import UNSET, structs

from kernelbench.kernels._registry import Variant
from kernelbench.model import Accuracy, Interference, Round
from kernelbench.protocol import CaseMeasured, Measure, WorkerSetup
from kernelbench.timing import sampling
from kernelbench.timing.guards import OTHER_PATTERN
from kernelbench.timing.sampling import Sampler, Samples
from kernelbench.timing.warmup import calibrate, warm_up
from kernelbench.worker import cost, threads
from kernelbench.worker.bench import Bench
from kernelbench.worker.conduct import Conduct
from kernelbench.worker.jitcache import Facts

InStage = Callable[[str], AbstractContextManager[None]]
"""Announces a stage; what the variant's code raises in it fails the case."""


class Trial:
    """A case being measured: ``verify``, then ``visit`` until it is true or time is up, then ``finish``."""

    def __init__(self, bench: Bench, variant: Variant, request: Measure, setup: WorkerSetup, stage: InStage) -> None:
        self._bench, self._variant, self._request = bench, variant, request
        self._setup, self._stage = setup, stage
        self._pressure = cost.Pressure()
        self._start_s = 0.0
        self._conduct = Conduct(one_thread=request.case.threads == 1)

    @property
    def size_bytes(self) -> int:
        """Memory its operands take."""
        return self._bench.arena.size_bytes

    def verify(self) -> Accuracy:
        """Compile, call once through the timed entry, and check the result."""
        with self._stage("compile"):
            self._bench.compile()
        with self._stage("verify"):
            self._bench.fill_outputs()
            with self._conduct.watching():
                self._first_s = self._bench.call_once("verify")
            threads.place_new(self._setup.cpus)
            self._accuracy = self._bench.verify("verify")
            self._bench.verify_again("verify")
        return self._accuracy

    def verify_inputs(self) -> None:
        """Check that the calls so far left their inputs alone."""
        with self._stage("verify"):
            self._bench.verify_inputs("verify")

    def warm_up(self) -> None:
        """Find the calls of a slice and call the kernel until its times settle."""
        threads.wait_until_idle()
        self._pressure = cost.Pressure()
        self._start_s = time.monotonic() - self._request.started_at
        bench, effort = self._bench, self._request.effort
        with self._stage("warm-up"):
            resolution = time.get_clock_info("perf_counter").resolution
            shortest_s = sampling.shortest_sample_s(effort, resolution)
            slice_s = sampling.shortest_slice_s(resolution)
            calls, took = bench.guarded(lambda: calibrate(bench.run, slice_s, self._first_s), "warm-up")
            many = max(1, int(shortest_s / took))
            bench.guarded(lambda: warm_up(bench.run, many * calls, many * took, effort.warmup_s), "warm-up")
        self._conduct.warm()
        self._sampler = Sampler(
            bench.run,
            calls,
            effort,
            cost.Watch(own_cores=not self._setup.shares_cores),
            shortest_s=shortest_s,
            best_adds=self._request.best_adds_per_cycle,
        )

    def visit(self) -> bool:
        """Sample while the core is quiet; True once there are enough samples, or 3 that are quiet."""
        if self._setup.threads > 1:
            threads.wait_until_idle()  # a pool of the case before
        with self._stage("timing"), self._conduct.watching(timed=True):
            enough: bool = self._bench.guarded(self._sampler.visit, "timing")
        return enough or not self._sampler.few

    def finish(self, facts: Facts | None) -> CaseMeasured:
        """Check what the timed calls left, and everything once more; the round with what was seen beside it."""
        samples, bench = self._sampler.samples(), self._bench
        with self._stage("verify-after"):
            calls = samples.calls_per_sample * len(samples.seconds_per_call)
            remarks = self._conduct.remarks(bench.run, calls, min(samples.seconds_per_call))
            bench.verify_guards("verify-after")
            bench.verify_again("verify-after")  # what the timed calls themselves left
            bench.fill_outputs()
            bench.fill_guards(OTHER_PATTERN)
            bench.call_once("verify-after")
            bench.verify_again("verify-after")
            bench.verify_inputs("verify-after")
        measured = structs.replace(self.verified(facts), round=self._round(samples))
        return structs.replace(measured, flags=tuple(remarks), remarks=remarks)

    def verified(self, facts: Facts | None) -> CaseMeasured:
        """What is known of it without timing."""
        compiled = self._variant.compiled
        return CaseMeasured(
            accuracy=self._accuracy,
            timer="compiled loop" if compiled else "python loop",
            includes_python_call=not compiled,
            placement=self._setup.cpus,
            fastmath=self._variant.info.fastmath,
            # Reading the kernel's map of this process takes 10 ms: once a run is enough.
            huge_pages=self._bench.arena.huge_share() if self._request.round == 0 else UNSET,
            isa_used=facts.isa_used if facts else UNSET,
            compile_s=facts.compile_s if facts and compiled else UNSET,
        )

    def _round(self, samples: Samples) -> Round:
        clocks = sorted(hz for hz in samples.clock_hz if hz)
        return Round(
            index=self._request.round,
            start_s=self._start_s,
            samples_s=samples.seconds_per_call,
            calls_per_sample=samples.calls_per_sample,
            worker=self._setup.serial,
            clock_hz=clocks[len(clocks) // 2] if clocks else UNSET,
            interference=Interference(
                involuntary_switches=samples.involuntary_switches,
                page_faults=samples.page_faults,
                clock_hz=samples.clock_hz if clocks else (),
                adds_per_cycle=samples.adds_per_cycle if any(samples.adds_per_cycle) else (),
                disturbed=samples.disturbed,
                quiet_share=samples.quiet_share,
                **self._pressure.since(),
            ),
        )
