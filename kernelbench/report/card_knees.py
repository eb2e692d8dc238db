"""Where levels end: the knees of the read curve beside the sizes that the operating system tells, as a table."""

from collections.abc import Iterable

from msgspec import Struct, UnsetType

from kernelbench.analysis.knees import KneeMatch, against_os, knees
from kernelbench.analysis.ladder import mix_ladder
from kernelbench.analysis.roofline import threads_text
from kernelbench.model import Ceiling, Machine
from kernelbench.report.card import Table
from kernelbench.report.text import safe_text
from kernelbench.units import size_bytes

NO_KNEE = "none found"
NO_CLAIM = "no size"


class Knees(Struct, frozen=True):
    """The knees at one thread count."""

    table: Table
    warnings: tuple[str, ...]
    """Where the curve and the OS disagree."""
    notes: tuple[str, ...]
    """What is found where the OS tells nothing."""
    sizes_bytes: tuple[float, ...]
    """The knees themselves, rising."""


def knees_at(ceilings: Iterable[Ceiling], machine: Machine, threads: int) -> Knees:
    """The knees of the read curve at ``threads`` threads. Sizes are those of one thread."""
    matches = _matches(ceilings, machine, threads)
    rows = tuple(
        (
            safe_text(match.level) or "-",
            NO_CLAIM if isinstance(match.os_bytes, UnsetType) else size_bytes(match.os_bytes),
            NO_KNEE if isinstance(match.knee_bytes, UnsetType) else size_bytes(match.knee_bytes),
        )
        for match in matches
    )
    found = [match.knee_bytes for match in matches if not isinstance(match.knee_bytes, UnsetType)]
    title = f"Where levels end, {threads_text(threads)}: bytes of one thread"
    return Knees(
        table=Table(title, ("", "from the OS", "knee of the read curve"), rows),
        warnings=tuple(safe_text(match.text) for match in matches if not match.agrees),
        notes=tuple(safe_text(match.text) for match in matches if match.agrees and not match.level),
        sizes_bytes=tuple(sorted(found)),
    )


def boundaries(ceilings: Iterable[Ceiling], machine: Machine, threads: int) -> tuple[tuple[str, float], ...]:
    """(level, bytes of one thread at which it ends) as the OS tells; the knees where it tells nothing."""
    matches = _matches(ceilings, machine, threads)
    claimed = [(m.level, float(m.os_bytes)) for m in matches if not isinstance(m.os_bytes, UnsetType)]
    return tuple(claimed) or tuple(("knee", m.knee_bytes) for m in matches if not isinstance(m.knee_bytes, UnsetType))


def _matches(ceilings: Iterable[Ceiling], machine: Machine, threads: int) -> tuple[KneeMatch, ...]:
    return against_os(knees(mix_ladder(ceilings, threads, "read")), machine, threads)
