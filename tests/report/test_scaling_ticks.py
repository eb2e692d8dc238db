"""Round numbers along an axis."""

import pytest

from kernelbench.report.scaling_ticks import powers_of_two, ticks


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((0.9, 9.0), [1, 2, 5]),
        ((0.5, 800.0), [1, 3, 10, 30, 100, 300]),
        ((1e-3, 1e9), [1e-3, 1e-1, 1e1, 1e3, 1e5, 1e7, 1e9]),
    ],
)
def test_logarithmic_ticks_are_round_and_few(span: tuple[float, float], expected: list[float]) -> None:
    assert ticks(*span, log=True) == pytest.approx(expected)


def test_linear_ticks_begin_at_zero() -> None:
    assert ticks(0.0, 117.0, log=False, most=5) == pytest.approx([0, 50, 100])


def test_sizes_tick_at_powers_of_two() -> None:
    assert powers_of_two(3000.0, 9e4) == [2.0**n for n in range(12, 17)]
    assert powers_of_two(2.0**10, 2.0**30, most=7) == [2.0**n for n in (10, 13, 16, 19, 22, 25, 28)]
