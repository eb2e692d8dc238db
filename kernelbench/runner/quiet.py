"""A bounded wait for a quiet host before measuring, and what disturbed it meanwhile, as notes."""

import contextlib
import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from kernelbench.machine import quiet
from kernelbench.machine.quiet import Quietness, Trouble
from kernelbench.runner.guards import sigterm_as_interrupt
from kernelbench.units import seconds

STEP_S = 0.25
"""Between two looks: 25 ticks of a CPU, so that a few stolen ones can be told from none."""


class Waited(Struct, frozen=True):
    """How the wait went."""

    waited_s: float
    """How long it took, the first looks included."""
    opening: Quietness
    """The last look: what happens from here on happens to the measuring."""
    troubles: tuple[Trouble, ...] = ()
    """What was still there when the wait ended; empty when the host was quiet or was not looked at."""

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for the result when measuring begins although the host is not quiet."""
        if not self.troubles:
            return ()
        found = quiet.words(self.troubles)
        return (f"the host was not quiet when measuring began: {found} (waited {seconds(self.waited_s)})",)


def spin(duration_s: float) -> None:
    """Run for so long: only who wants a CPU can have it stolen, so an idle guest would see no thief."""
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        pass


def wait_for_quiet(
    limit_s: float,
    *,
    say: Callable[[str], None],
    look: Callable[[], Quietness],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    spin: Callable[[float], None] = spin,
) -> Waited:
    """Wait until one ``STEP_S`` was quiet, at most ``limit_s`` seconds; with 0 nothing is waited for nor judged.

    ``say`` is told once that the wait goes on, and why. What waiting cannot mend (a governor, a full swap) is
    not waited for.
    """
    began = clock()
    before = look()
    said = False
    # Only whole steps: a shorter last one would see no theft and call the host quiet.
    step_s = min(STEP_S, limit_s)
    while step_s > 0:
        # Others that run are stolen from themselves, for us to see, and want the CPU more than we do.
        (sleep if quiet.others_running(before) else spin)(step_s)
        after = look()
        found = quiet.troubles(before, after)
        waited_s = clock() - began
        if waited_s + step_s > limit_s or not any(trouble.passes for trouble in found):
            return Waited(waited_s, after, found)
        if not said:
            said = True
            say(f"waiting up to {limit_s:g} s for a quiet host: {quiet.words(found)}")
        before = after
    return Waited(0.0, before)


def meanwhile(opening: Quietness, closing: Quietness) -> tuple[str, ...]:
    """One line on what was taken from the run between its first and last look; none when nothing was."""
    found = quiet.between(opening, closing)
    return (f"while measuring: {quiet.words(found)}",) if found else ()


def _forget(note: str) -> None:
    """What is noted is in the list anyway."""


@contextlib.contextmanager
def noting_quiet(
    limit_s: float, say: Callable[[str], None], keep: Callable[[str], None] = _forget
) -> Iterator[list[str]]:
    """Wait for a quiet host, then let the caller measure; what was not quiet goes into the list, one line each.

    ``keep`` is given each note as soon as it is made, so that a run that is killed later has it. A polite kill
    during the wait is an interrupt.
    """
    notes: list[str] = []

    def note(texts: tuple[str, ...]) -> None:
        for text in texts:
            notes.append(text)
            keep(text)

    with sigterm_as_interrupt():
        waited = wait_for_quiet(limit_s, say=say, look=quiet.look)
    note(waited.notes)
    yield notes
    note(meanwhile(waited.opening, quiet.look()))
