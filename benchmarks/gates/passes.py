"""Trials of the other gates: BASE, HEAD as it is, HEAD slowed by each share, one pass of all cells after the other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from gates.cells import Cell, Experiment
from gates.peers import PEERS, Flagged, PeerFailed, Place
from gates.records import Seen, Trial
from gates.request import Request, Timed

SAMPLES, QUICK_SAMPLES = 50, 8
"""Samples a cell of the gate that has no habit of its own."""

Steps = Mapping[float, Mapping[str, int]]
"""Share -> extra cycles by case id."""


def timed(wanted: Experiment) -> tuple[Timed, ...]:
    """The cells as a process of another gate needs them."""
    return tuple(
        Timed(cell.case.id, cell.case.variant, cell.module, dict(cell.case.settings), cell.case.dtype)
        for cell in wanted.cells
    )


def request_of(wanted: Experiment, jit_key: str, steps: Mapping[str, int], *, quick: bool) -> Request:
    """One pass, its kernels slowed by so many cycles."""
    cells = tuple(structs.replace(one, steps=steps.get(one.id, 0)) for one in timed(wanted))
    return Request(cells, wanted.cpu, jit_key, "", QUICK_SAMPLES if quick else SAMPLES)


class Setting(Struct, frozen=True):
    """How the other gates are run."""

    jit_key: str
    steps: Steps
    python: str
    quick: bool = False


def trials(
    name: str, wanted: Experiment, setting: Setting, like: Trial, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Trial]:
    """One repetition of a gate: a trial for each of its rules and slowdowns, 0 among them.

    A slowed HEAD is judged against the pass that was the A/A's HEAD. A gate that fails ends with its problem.
    """
    take = PEERS[name][1]
    with tempfile.TemporaryDirectory() as folder:
        place = Place(setting.python, Path(folder), setting.quick)

        def measured(label: str, steps: Mapping[str, int], base: str) -> tuple[Flagged, float]:
            began = clock()
            found = take(place, request_of(wanted, setting.jit_key, steps, quick=setting.quick), label, base)
            return found, clock() - began

        try:
            base = "base"
            _, before_s = measured(base, {}, "")
            for share in (0.0, *setting.steps):
                steps = setting.steps.get(share, {})
                label = f"head{round(1000 * share)}"
                found, took_s = measured(label, steps, base)
                yield from judged(like, wanted, found, share, steps, before_s + took_s)
                if not share:
                    base, before_s = label, took_s
        except PeerFailed as error:
            yield structs.replace(like, problem=str(error))


def judged(
    like: Trial, wanted: Experiment, found: Flagged, share: float, steps: Mapping[str, int], wall_s: float
) -> list[Trial]:
    """What each rule said of each cell; only cells that were really slowed count as slowed."""
    kept = [cell for cell in wanted.cells if not share or steps.get(cell.case.id)]
    part_s = wall_s * len(kept) / max(1, len(wanted.cells))
    return [
        structs.replace(like, rule=rule, slowed=share, wall_s=part_s, cells=_seen(kept, flagged, share))
        for rule, flagged in found.items()
    ]


def _seen(cells: Sequence[Cell], flagged: frozenset[str], share: float) -> tuple[Seen, ...]:
    return tuple(
        Seen(cell.case.id, "regressed" if cell.case.id in flagged else "passed", cell.cached, share) for cell in cells
    )
