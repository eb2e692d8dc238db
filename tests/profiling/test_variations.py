"""Which other sizes tell something."""

from kernelbench.model import Case, Work
from kernelbench.profiling.variations import Sized, around_knees, inside, level_of, renamed, shrunk, smallest

LEVELS = (("L1", 32 << 10), ("L2", 1 << 20), ("L3", 32 << 20))
CASE = renamed(Case("", "op", "op/one", "naive", "f32", {"n": 1 << 22}, 1))


def sized(case: Case) -> Sized:
    """Eight bytes an element."""
    return Sized(case, Work(model="declared"), 8.0 * case.shape["n"])


def test_sizes_fall_by_halves_and_stay_multiples_of_what_they_were() -> None:
    found = [case.shape["n"] for case in shrunk(CASE)]
    assert found[:3] == [1 << 21, 1 << 20, 1 << 19]
    assert found[-1] == 1


def test_several_dimensions_shrink_together() -> None:
    square = renamed(Case("", "op", "op/one", "naive", "f32", {"m": 512, "n": 512, "k": 512}, 1))
    assert all(len(set(case.shape.values())) == 1 for case in shrunk(square))


def test_a_working_set_inside_a_level_leaves_half_of_it_and_is_beyond_the_nearer_one() -> None:
    found = inside(LEVELS, [sized(case) for case in shrunk(CASE)], "DRAM")
    assert {level: one.footprint_bytes for level, one in found.items()} == {
        "L1": 16 << 10,
        "L2": 512 << 10,
        "L3": 8 << 20,
    }


def test_only_levels_nearer_than_its_own_are_tried() -> None:
    assert set(inside(LEVELS, [sized(case) for case in shrunk(CASE)], "L2")) == {"L1"}


def test_a_footprint_lives_in_the_nearest_level_that_holds_it() -> None:
    assert [level_of(LEVELS, size) for size in (1, 40 << 10, 2 << 20, 64 << 20)] == ["L1", "L2", "L3", "DRAM"]


def test_the_sweep_keeps_to_its_number_of_points() -> None:
    assert len(around_knees(LEVELS, [sized(case) for case in shrunk(CASE)], 4)) <= 4


def test_the_profiled_case_is_not_its_own_smallest() -> None:
    one = renamed(Case("", "op", "op/one", "naive", "f32", {"n": 1}, 1))
    assert smallest(one) == ()
