"""The order of things: compile everything, then measure it round by round in fresh processes.

One worker lives at a time while anything is timed. Each round visits every group (threads, isa) in
random order, and in it every living case in random order, so that a slow minute of the host meets all
of them alike. The clock, the workers and the journal come from outside.
"""

import contextlib
import itertools
import random

from kernelbench.model import Case
from kernelbench.protocol import CaseMeasured, Measure, Waiting
from kernelbench.runner import sentences
from kernelbench.runner.compiling import compile_all, units_of
from kernelbench.runner.doubts import Doubts
from kernelbench.runner.job import (
    Clock,
    Job,
    Past,
    Position,
    Progress,
    Sink,
    Summary,
    WorkerFactory,
    most_adds,
    wants_again,
)
from kernelbench.runner.live import Group, Live, failure
from kernelbench.runner.remarks import Remarks
from kernelbench.runner.roofs import HALF_SPEED, Roofs
from kernelbench.store.journal import CaseDead, RoundDone

AGAIN, AGAIN_SLOW = 1, 3
"""Passes after the last round over the rounds that were disturbed throughout, and over those of a slow machine."""


def execute(
    job: Job, *, workers: WorkerFactory, journal: Sink, clock: Clock, progress: Progress, past: Past | None = None
) -> Summary:
    """Run ``job`` and put every outcome into ``journal``. Ctrl-C ends it early, keeping what is done.

    Raises ``WorkerError`` when workers cannot be started, ``UsageError`` when the sources under test
    change meanwhile, ``StoreError`` when the journal cannot be written.
    """
    run = _Execution(job, workers, journal, clock, progress, past or Past())
    begun = 0
    interrupted = False
    try:
        run.compile()
        run.roofs.before()
        for index in range(job.rounds):
            if run.budget_spent(index):
                break
            begun = index + 1
            run.measure_round(index)
        else:
            run.measure_doubtful()
    except KeyboardInterrupt:
        interrupted = True
        run.live.kill()
    finally:
        run.live.close()
    roofs = run.roofs
    return Summary(
        interrupted,
        begun,
        warnings=(*run.warnings, *roofs.warnings),
        faults=(*run.faults, *roofs.faults),
        notes=tuple(roofs.notes),
        fresh_ceilings=tuple(roofs.fresh),
    )


class _Execution:
    """The state of one execution."""

    def __init__(
        self, job: Job, workers: WorkerFactory, journal: Sink, clock: Clock, progress: Progress, past: Past
    ) -> None:
        self.warnings: list[str] = []
        self.faults: list[str] = []
        self._job = job
        self._workers = workers
        self._journal = journal
        self._clock = clock
        self._progress = progress
        self._past = past
        self._dead = set(past.dead)
        self._done = set(past.done)
        self._serials = itertools.count(past.workers)
        self._started_at = clock() - past.offset_s
        self.live = Live(job, workers, self._serials)
        self.roofs = Roofs(job, self.live, journal, clock, self._started_at, progress, past)
        self._doubts = Doubts(past.disturbed)
        self._best_adds = past.best_adds_per_cycle
        self._round_s = 0.0
        self._lost_s = 0.0
        self._remarks = Remarks(progress.warn)

    def compile(self) -> None:
        """Compile what any round still needs; what does not compile is dead."""
        pending = [case for case in self._job.cases if any(self._pending(case, r) for r in range(self._job.rounds))]
        units = units_of(pending)
        with contextlib.closing(compile_all(self._job, units, self._workers, self._serials)) as verdicts:
            for count, verdict in enumerate(verdicts, 1):
                self._progress.show(Position("compiling", count, len(units), verdict.unit.case.variant))
                if verdict.failure:
                    self._note_fault(verdict.fault, verdict.failure)
                    for case_id in verdict.unit.case_ids:
                        self._bury(0, case_id, "compile", verdict.failure)

    def budget_spent(self, index: int) -> bool:
        """Whether round ``index`` would end beyond the time budget. The first one is always measured."""
        spent = self._clock() - self._started_at
        if index == 0 or spent + self._round_s <= self._job.time_budget_s or not self._rest(index):
            return False
        self._warn(sentences.budget_spent(self._job, index, spent, self._round_s))
        return True

    def measure_round(self, index: int) -> None:
        """Every group once, in random order."""
        begun = self._clock()
        self._lost_s = 0.0
        groups = sorted({(case.threads, case.isa) for case in self._job.cases})
        random.Random(f"{self._job.seed}/{index}").shuffle(groups)
        for group in groups:
            self._measure_group(index, group)
        # Time lost to a hang is not repeated: the case is dead.
        self._round_s = self._clock() - begun - self._lost_s

    def measure_doubtful(self) -> None:
        """Rounds in doubt once more, in fresh processes, as time allows; the later measurement counts.

        Those that met no quiet moment get one more chance; those of a slow machine are measured until it is not.
        """
        for turn in range(AGAIN_SLOW):
            again = self._doubts.once_more(self._job.cases, self._dead, slow_only=turn >= AGAIN)
            spent = self._clock() - self._started_at
            if not again or spent + self._round_s > self._job.time_budget_s:
                break
            for group in sorted({(case.threads, case.isa) for _, case in again}):
                for index, case in again:
                    if (case.threads, case.isa) == group:
                        self._progress.show(Position("again", *self._counts(self._job.rounds), case.id))
                        self._measure(index, case)
                self.live.close()
        if left := self._doubts.once_more(self._job.cases, self._dead, slow_only=True):
            self._warn(sentences.kept_slow(len(left)))

    def _measure_group(self, index: int, group: Group) -> None:
        """A group's cases between two checks of the machine's speed."""
        threads, isa = group
        cases = [case for case in self._job.cases if (case.threads, case.isa) == group and self._pending(case, index)]
        if not cases:
            return
        random.Random(f"{self._job.seed}/{index}/{threads}/{isa}").shuffle(cases)
        phase = f"round {index + 1}/{self._job.rounds}"
        begun = self._clock()
        self._progress.show(Position(phase, *self._counts(index), "ceilings"))
        share = self.roofs.check(index, group)
        waiting = []
        for case in cases:
            self._progress.show(Position(phase, *self._counts(index), case.id))
            if self._measure(index, case, last=False):
                waiting.append(case)
        self._come_back(index, waiting, self._job.effort.patience_s * len(cases), phase)
        share = min(share, self.roofs.check(index, group, "pulse"))
        self.live.close()
        if share < HALF_SPEED:
            self._distrust(index, cases, share, begun)

    def _come_back(self, index: int, waiting: list[Case], patience_s: float, phase: str) -> None:
        """Visit the cases that met no quiet moment in turn, each for as long as it is quiet, until time is up."""
        begun = self._clock()
        while waiting and self._clock() - begun < patience_s:
            self._progress.show(Position(phase, *self._counts(index), f"{len(waiting)} wait for a quiet moment"))
            waiting = [case for case in waiting if self._measure(index, case, last=False)]
        for case in waiting:
            self._progress.show(Position(phase, *self._counts(index), case.id))
            self._measure(index, case)

    def _distrust(self, index: int, cases: list[Case], share: float, begun: float) -> None:
        """What was measured beside a machine at half its speed is measured again."""
        slow = [case for case in cases if (index, case.id) in self._done]
        for case in slow:
            self._doubts.slow((index, case.id))
        stretch = begun - self._started_at, self._clock() - self._started_at
        self._warn(sentences.slow_machine(share, stretch, len(slow)))

    def _measure(self, index: int, case: Case, *, last: bool = True) -> bool:
        """Measure a case in one round; True when it waits for a quiet moment, which it never does when ``last``."""
        begun = self._clock()
        request = Measure(
            case,
            self._job.seed,
            index,
            self._job.effort,
            self._started_at,
            verify_only=self._job.verify_only,
            best_adds_per_cycle=self._best_adds,
            last=last,
        )
        answer = self.live.ask((case.threads, case.isa), request, self._job.case_timeout_s)
        if isinstance(answer, Waiting) and not last:
            return True
        if isinstance(answer, CaseMeasured):
            self._journal.append(RoundDone(index, case.id, answer))
            self._done.add((index, case.id))
            self._doubts.settled((index, case.id))
            if self._remarks.tell(case.variant, answer.remarks):
                self.live.close()  # they would run beside the cases after it
            if answer.round:
                self._best_adds = max(self._best_adds, most_adds(answer.round))
                if wants_again(answer.round):
                    self._doubts.disturbed((index, case.id))
            return False
        stage, why, fault = failure(answer)
        self._note_fault(fault, f"{case.id}: {why}")
        self._bury(index, case.id, stage, why)
        # Even one that answered may be short of memory now, or have had its operands written over.
        self.live.close()
        self._lost_s += self._clock() - begun
        return False

    def _pending(self, case: Case, index: int) -> bool:
        return case.id not in self._dead and (index, case.id) not in self._done

    def _rest(self, index: int) -> int:
        """Case rounds still to be measured from round ``index`` on."""
        return sum(self._pending(case, r) for case in self._job.cases for r in range(index, self._job.rounds))

    def _counts(self, index: int) -> tuple[int, int]:
        done = len(self._done)
        return done, done + self._rest(index)

    def _bury(self, index: int, case_id: str, stage: str, why: str) -> None:
        self._dead.add(case_id)
        self._journal.append(CaseDead(index, case_id, stage, why))
        self._progress.warn(f"{case_id} failed ({stage}): {why}")

    def _note_fault(self, fault: bool, text: str) -> None:
        if fault:
            self.faults.append(text)

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self._progress.warn(text)
