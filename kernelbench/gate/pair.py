"""Two live workers, one a side, that take turns on one core and in one memory.

While one side is timed the other is stopped: idle thread pools spin. Both are fresh processes and both end with the
round, whose pages are new as well.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from msgspec import Struct, structs

from kernelbench.analysis.turns import Turn
from kernelbench.gate.memory import ADDRESS, create
from kernelbench.model import Case
from kernelbench.protocol import (
    Broken,
    Burst,
    CaseFailed,
    CaseMeasured,
    Open,
    Opened,
    Ready,
    Reply,
    Request,
    SharedMemory,
    Shut,
    Slices,
    WorkerSetup,
)
from kernelbench.runner.process import Died, WorkerProcess

T = TypeVar("T")

START_S = 120.0
"""A worker that has not imported everything by then does not start."""

Start = Callable[[int, WorkerSetup], WorkerProcess]
"""Starts the worker of side 0 (BASE) or 1 (HEAD)."""


class SideFailed(Exception):
    """One side of a case failed; ``fault`` when it is kernelbench's own doing."""

    def __init__(self, side: int, stage: str, message: str, *, fault: bool = False) -> None:
        super().__init__(message)
        self.side, self.stage, self.message, self.fault = side, stage, message, fault


class Opening(Struct, frozen=True):
    """A case open on both sides."""

    base: Opened
    head: Opened

    @property
    def calls(self) -> int:
        """Calls a slice, the same on both sides: counts of their own would bias the ratio."""
        return max(self.base.calls, self.head.calls)

    @property
    def shared(self) -> bool:
        """Whether both work in the shared memory."""
        return self.base.shared and self.head.shared

    @property
    def restore(self) -> bool:
        """Whether each side must write its operands anew before its turn."""
        return self.shared and self.base.layout != self.head.layout


class Pair:
    """Both workers of one round. A context manager; ``memory_bytes`` is what the shared memory is to hold, 0: none."""

    def __init__(
        self, start: Start, setup: WorkerSetup, memory_bytes: int, timeout_s: float, stack_skips_bytes: int = 0
    ) -> None:
        """``stack_skips_bytes`` as of ``SharedMemory``. Raises SideFailed when one does not start."""
        self._timeout_s = timeout_s
        self._fd = -1
        self.why_private = "" if memory_bytes else "asked for"
        self._workers: list[WorkerProcess] = []
        setup = structs.replace(setup, anywhere=True)
        if memory_bytes:
            try:
                self._fd = create(memory_bytes)
                setup = structs.replace(setup, memory=SharedMemory(self._fd, ADDRESS, memory_bytes, stack_skips_bytes))
            except OSError as error:
                self.why_private = f"no memory that both can map: {error.strerror}"
        try:
            for side in (0, 1):  # one by one: should the second not start, the first must still be ended
                self._workers.append(start(side, setup))
            for side, worker in enumerate(self._workers):
                self._ready(side, worker.start(START_S))
        except BaseException:
            self.close()
            raise
        for worker in self._workers:
            worker.pause()

    def _ready(self, side: int, answer: Reply | Died) -> None:
        if not isinstance(answer, Ready):
            raise _failure(side, answer)

    def open(self, case: Case, seed: int, slowdown: float = 0.0, extra_steps: int = 0) -> Opening:
        """The case on both sides, ``slowdown`` (in ``extra_steps``, where those are known) on HEAD's.

        Raises SideFailed.
        """
        base = self.ask(0, Open(case, seed, like_slowed=slowdown > 0), Opened)
        head = self.ask(1, Open(case, seed, slowdown=slowdown, extra_steps=extra_steps), Opened)
        return Opening(base, head)

    def burst(self, side: int, request: Burst) -> Slices:
        """One side's turn. Raises SideFailed."""
        return self.ask(side, request, Slices)

    def shut(self, *, restore: bool) -> tuple[CaseMeasured, CaseMeasured]:
        """Both sides verified once more; ``restore`` as the opening said. Raises SideFailed."""
        return self.ask(0, Shut(restore), CaseMeasured), self.ask(1, Shut(restore), CaseMeasured)

    def ask(self, side: int, request: Request, kind: type[T]) -> T:
        """What one side answers, which runs meanwhile; an answer of another ``kind`` raises SideFailed."""
        worker = self._workers[side]
        worker.resume()
        try:
            answer = worker.request(request, self._timeout_s)
        finally:
            worker.pause()
        if isinstance(answer, kind):
            return answer
        raise _failure(side, answer)

    def close(self) -> None:
        """End both, whatever state they are in."""
        for worker in self._workers:
            worker.resume()
            worker.close()
        self._workers = []
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def turn_of(seen: Slices, calls: int) -> Turn:
    """A side's slices of ``calls`` calls as a turn."""
    return Turn(
        tuple(one / calls for one in seen.seconds), seen.adds_per_cycle, seen.clock_hz, seen.involuntary_switches
    )


def _failure(side: int, answer: Reply | Died) -> SideFailed:
    if isinstance(answer, CaseFailed | Died):
        return SideFailed(side, answer.stage, answer.message)
    if isinstance(answer, Broken):
        return SideFailed(side, "harness", answer.message, fault=True)
    return SideFailed(side, "harness", f"the worker answered with {type(answer).__name__}", fault=True)
