"""The gate's procedure replayed on stored rounds."""

import random

import pytest

from kernelbench.gate.replay import Stored, replay
from kernelbench.model import Case
from tests.builders import case
from tests.gate.calibrating import NOISY, STEADY, rounds

ONE = case()


def stored(logs: tuple[float, ...], of: Case = ONE, threshold: float = 0.05) -> Stored:
    """A cell to draw from."""
    return Stored(of, threshold, tuple(rounds(logs)))


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.0, "unchanged"), (0.10, "regressed"), (-0.10, "improved"), (0.049, "ambiguous")]
)
def test_rounds_far_from_or_near_the_threshold_get_the_verdict_of_the_gate(shift: float, verdict: str) -> None:
    found = replay([stored(tuple(shift + one for one in STEADY))], 50, random.Random(0))
    assert found.verdicts[ONE.id].most_common(1)[0][0] == verdict


def test_every_trial_gives_every_cell_one_verdict() -> None:
    cells = [stored(NOISY, case(shape={"m": n, "n": n, "k": n}), 0.03) for n in (8, 16)]
    found = replay(cells, 40, random.Random(0))
    assert [sum(counts.values()) for counts in found.verdicts.values()] == [40, 40]


def test_the_same_seed_gives_the_same_rates() -> None:
    assert replay([stored(NOISY)], 40, random.Random(7)) == replay([stored(NOISY)], 40, random.Random(7))


def test_a_run_counts_once_however_many_of_its_cells_changed() -> None:
    cells = [stored((0.2,) * 8, case(shape={"m": n, "n": n, "k": n})) for n in (8, 16, 32)]
    found = replay(cells, 10, random.Random(0))
    assert found.runs["regressed"] == 10
    assert found.share(cells[0].case.id, "regressed") == 1.0


def test_without_cells_there_is_nothing_to_say() -> None:
    found = replay([], 10, random.Random(0))
    assert not found.verdicts
    assert not found.runs
