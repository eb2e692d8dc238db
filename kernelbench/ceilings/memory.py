"""What the bandwidth probes measure: access mixes, the bytes they move, and the ladder of working sets.

Counted are algorithmic bytes: the loads and stores of the source. A store to a line that is not in the cache
also reads that line first (read-for-ownership): those bytes are counted apart, never in a bandwidth. The loops
themselves are in ``memory_ir``.
"""

from __future__ import annotations

from kernelbench.ceilings.memory_ir import LOOPS, REPEATS_WORD, RESULT_WORD, compiled, widths

__all__ = [
    "ARRAYS",
    "MIXES",
    "REPEATS_WORD",
    "RESULT_WORD",
    "STEP_BYTES",
    "array_bytes",
    "compiled",
    "curve",
    "ladder",
    "moved_bytes",
    "rfo_bytes",
    "widths",
    "working_set_bytes",
]

MIXES = tuple(LOOPS)
ARRAYS = {name: len({*mix.reads, *mix.writes}) for name, mix in LOOPS.items()}
"""Mix -> how many arrays it goes through."""
STEP_BYTES = 512
"""An array is a whole number of these: one trip in the widest vectors, two in half as wide ones."""
NEAR = 0.1
"""A level's own point takes the place of a regular one that lies within this share of it."""


def moved_bytes(mix: str, each: int) -> int:
    """Algorithmic bytes of one sweep over arrays of ``each`` bytes: an update counts its array twice."""
    return each * (len(LOOPS[mix].reads) + len(LOOPS[mix].writes))


def rfo_bytes(mix: str, each: int) -> int:
    """Bytes of the lines that one sweep reads only in order to overwrite them.

    An upper bound: some cores avoid it for whole lines. Streaming stores have none, an update has read its
    lines anyway. With them copy moves 1.5, triad 1.33 and write 2 times its algorithmic bytes.
    """
    loop = LOOPS[mix]
    return 0 if loop.streaming else each * len({*loop.writes} - {*loop.reads})


def working_set_bytes(mix: str, each: int) -> int:
    """Bytes that one thread touches with arrays of ``each`` bytes."""
    return each * ARRAYS[mix]


def array_bytes(mix: str, working_set_bytes: int) -> int:
    """Bytes of each array so that all of the mix's together are about ``working_set_bytes``; one step at least."""
    return max(STEP_BYTES, working_set_bytes // ARRAYS[mix] // STEP_BYTES * STEP_BYTES)


def _own_points(levels: tuple[tuple[str, int], ...]) -> dict[int, str]:
    """Working set -> level that it stands for: half of the thread's share, DRAM all of its bytes.

    Where half a share would still fit the level before (a shared last level under large private ones), it
    comes on top of that level's share: such caches hold different lines and add up.
    """
    points, before = {}, 0
    for name, share in levels:
        size = share if name == "DRAM" else share // 2
        points[size if size > before else before + size] = name
        before = share
    return points


def ladder(
    levels: tuple[tuple[str, int], ...], points_per_octave: int = 4, first_bytes: int = 4096
) -> tuple[tuple[int, str], ...]:
    """(working set of one thread in bytes, level it stands for or ""), rising; see ``curve``.

    ``levels`` are (name, bytes of one thread's share), nearest first, the last being DRAM with the bytes to
    touch. A level is measured at half its share, DRAM at all of its bytes.
    """
    return curve(_own_points(levels), points_per_octave, first_bytes)


def curve(own: dict[int, str], points_per_octave: int, first_bytes: int = 4096) -> tuple[tuple[int, str], ...]:
    """(bytes, level or ""), rising: evenly spaced points from ``first_bytes`` to the last level's, and ``own``.

    A level's ``own`` point takes the place of the nearest regular one where that is within a tenth of it.
    """
    regular, k = [], 0
    while (size := int(first_bytes * 2 ** (k / points_per_octave))) < max(own):
        regular.append(size)
        k += 1
    for point in own:
        nearest = min(regular, key=lambda size: abs(size - point), default=0)
        if nearest and abs(nearest - point) <= NEAR * point:
            regular.remove(nearest)
    return tuple(sorted((dict.fromkeys(regular, "") | own).items()))
