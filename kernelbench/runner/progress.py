"""Where the run is, on stderr: a bar with the time left on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from kernelbench.runner.job import Position
from kernelbench.runner.output import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

LINE_EVERY_S = 5.0
"""On a pipe, at most one line in so many seconds."""


class Quiet:
    """Shows nothing but warnings."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, position: Position) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        """One line."""
        print(f"warning: {printable(text)}", file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing."""


class Lines(Quiet):
    """One plain line now and then, for logs: "round 2/6  37/240  relu/naive/f32/n=4096/t=1  ETA 41 s"."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        super().__init__(stream)
        self._clock = clock
        self._eta = Eta(clock)
        self._last_s = float("-inf")

    def show(self, position: Position) -> None:
        """A line, unless the last one is recent."""
        eta = self._eta.text(position)
        if self._clock() - self._last_s >= LINE_EVERY_S:
            self._last_s = self._clock()
            print(
                f"{position.phase}  {position.done}/{position.total}  {position.label}{eta and '  ETA ' + eta}",
                file=self._stream,
                flush=True,
            )


class TerminalBar(Quiet):
    """A bar that stays on one line."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().__init__(stream)
        self._eta = Eta(clock)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[eta]}", markup=False),
            TextColumn("{task.fields[label]}", markup=False),
        )
        # Drawn only when something changes: a thread that redraws would disturb what is being timed.
        self._bar: Bar = Progress(*columns, console=Console(file=stream), transient=True, auto_refresh=False)
        self._task = self._bar.add_task("starting", total=1, eta="", label="")
        self._bar.start()

    def show(self, position: Position) -> None:
        """Move the bar."""
        eta = self._eta.text(position)
        self._bar.update(
            self._task,
            description=position.phase,
            completed=position.done,
            total=position.total,
            label=position.label,
            eta=eta and f"ETA {eta}",
            refresh=True,
        )

    def warn(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(f"warning: {printable(text)}", markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


class Eta:
    """Time left, from how long the steps of this phase took so far."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kind = ""
        self._began_s = 0.0
        self._began_done = 0

    def text(self, position: Position) -> str:
        """ "41 s", "3 min", or nothing while no step is finished."""
        kind = position.phase.split()[0]
        if kind != self._kind:
            self._kind, self._began_s, self._began_done = kind, self._clock(), position.done
        steps = position.done - self._began_done
        if steps <= 0 or not position.steady:
            return ""
        left_s = (self._clock() - self._began_s) / steps * (position.total - position.done)
        return f"{left_s / 60:.0f} min" if left_s >= 120 else f"{left_s:.0f} s"


def progress_for(clock: Callable[[], float], *, quiet: bool, stream: TextIO | None = None) -> Quiet:
    """The progress that suits ``stream`` (standard error when not given)."""
    stream = stream or sys.stderr
    if quiet:
        return Quiet(stream)
    return TerminalBar(stream, clock) if stream.isatty() else Lines(stream, clock)
