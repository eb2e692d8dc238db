"""A cell of `ab` is judged by this host's floor where that is above the threshold asked for."""

import pytest

from kernelbench.gate.session import cells_of
from kernelbench.gate.verdicts import cell_of
from kernelbench.thresholds import Thresholds
from tests.gate.calibrating import RELU, STEADY, TILED, cell, session


def test_the_larger_of_threshold_and_floor_counts_for_each_cell() -> None:
    floors = {TILED.id: 0.08, RELU.id: 0.01}
    found = cells_of(session(TILED, RELU), Thresholds(), floors)
    assert [(one.threshold, one.floor) for one in found] == [(0.08, 0.08), (0.05, 0.0)]


def test_a_cell_without_a_floor_is_judged_by_the_threshold() -> None:
    found = cells_of(session(TILED), Thresholds(rules=(("matmul/*", 0.1),)), {})
    assert [(one.threshold, one.floor) for one in found] == [(0.1, 0.0)]


@pytest.mark.parametrize(("floor", "said"), [(0.08, True), (0.0, False)])
def test_the_reason_says_when_a_floor_was_what_decided(floor: float, said: bool) -> None:
    one = cell(TILED, STEADY, threshold=0.08, floor=floor, place="inside")
    found = cell_of(one)
    assert found.threshold == 0.08
    assert ("this host's floor" in found.reason) == said
