"""Which choices are worth having."""

from hypothesis import given
from hypothesis import strategies as st

from kernelbench.analysis.pareto import front

COSTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20)


def test_a_choice_beaten_in_both_costs_is_not_kept() -> None:
    assert front([(1.0, 5.0), (2.0, 2.0), (3.0, 3.0), (5.0, 1.0)]) == (0, 1, 3)


def test_of_two_choices_alike_in_one_cost_the_better_in_the_other_is_kept() -> None:
    assert front([(1.0, 2.0), (1.0, 1.0), (2.0, 1.0)]) == (1,)


def test_equal_choices_are_kept_together() -> None:
    assert front([(1.0, 1.0), (1.0, 1.0)]) == (0, 1)


def test_nothing_to_choose_from_has_no_front() -> None:
    assert front([]) == ()


@given(COSTS)
def test_the_front_is_exactly_what_nothing_dominates(choices: list[tuple[float, float]]) -> None:
    def beaten(one: tuple[float, float]) -> bool:
        return any(o != one and o[0] <= one[0] and o[1] <= one[1] for o in choices)

    assert set(front(choices)) == {i for i, one in enumerate(choices) if not beaten(one)}
