"""Arguments of a function: what they tell, copies of them, and when two results agree."""

import numpy as np
import pytest
from msgspec import UNSET

from kernelbench.api import operands
from kernelbench.api.operands import Copies, disagreement


class Tensor:
    """What torch's look like: no NumPy array, but with sizes and a type."""

    def __init__(self, dtype: str, nbytes: int) -> None:
        self.dtype, self.nbytes, self.shape = f"torch.{dtype}", nbytes, (nbytes,)


def test_each_array_counts_once() -> None:
    x = np.ones(10)
    assert operands.working_set_bytes((x, x, np.ones(5)), None) == 120


def test_a_view_that_is_returned_is_no_array_of_its_own() -> None:
    x = np.ones(10)
    assert operands.working_set_bytes((x,), x[:5]) == 80


def test_arrays_in_tuples_and_tensors_count_as_well() -> None:
    assert operands.working_set_bytes(([np.ones(2), Tensor("bfloat16", 8)], 3), None) == 24


def test_without_an_array_there_is_no_working_set() -> None:
    assert operands.working_set_bytes((1, "two"), None) is UNSET


def test_the_number_type_is_that_of_most_bytes() -> None:
    assert operands.dtype_of((np.ones(9, np.float32), np.ones(2)), None) == "f32"
    assert operands.dtype_of((Tensor("bfloat16", 8),), None) == "bf16"


def test_indices_are_not_the_number_type() -> None:
    assert operands.dtype_of((np.ones(9, np.float32), np.ones(99, np.int32)), None) == "f32"


def test_a_type_without_ceilings_tells_nothing() -> None:
    assert operands.dtype_of((np.ones(3, np.complex128),), None) is UNSET


def test_copies_leave_the_originals_alone_and_can_be_restored() -> None:
    x = np.arange(5.0)
    copies = Copies((x, 2, "word"))
    copies.args[0][:] = 0
    copies.restore()
    assert np.array_equal(copies.args[0], x)
    assert copies.args[1:] == (2, "word")
    assert not np.shares_memory(copies.args[0], x)


def test_one_array_given_twice_stays_one() -> None:
    x = np.ones(4)
    copies = Copies((x, x))
    assert copies.args[0] is copies.args[1]


@pytest.mark.parametrize(
    "view", [np.arange(12.0)[::3], np.arange(12.0)[::-1], np.arange(12.0).reshape(3, 4).T[1:, ::2]]
)
def test_a_strided_array_keeps_its_strides(view: np.ndarray) -> None:
    placed = Copies((view,)).args[0]
    assert placed.strides == view.strides
    assert np.array_equal(placed, view)


def test_another_order_of_a_sum_agrees() -> None:
    x = np.random.default_rng(1).random(10_000).astype(np.float32)
    assert disagreement({"a": x.sum()}, {"a": np.float32(sum(x.tolist()))}) == ""


def test_one_wrong_element_disagrees() -> None:
    x, y = np.ones(100), np.ones(100)
    y[99] = 1.1
    assert disagreement({"args[0]": x}, {"args[0]": y}) == "args[0]: 1 of 100 elements differ, by up to 1.0e-01"


def test_nan_agrees_with_nan_alone() -> None:
    x = np.array([1.0, np.nan])
    assert disagreement({"a": x}, {"a": x.copy()}) == ""
    assert disagreement({"a": x}, {"a": np.array([1.0, 2.0])})


def test_integers_must_be_equal() -> None:
    assert disagreement({"a": np.array([1, 2])}, {"a": np.array([1, 3])}) == "a: 1 of 2 elements differ"


def test_shapes_must_be_equal() -> None:
    assert disagreement({"a": np.ones(2)}, {"a": np.ones(3)}) == "a: shapes (2,) and (3,)"


def test_results_in_different_places_say_what_to_do() -> None:
    assert "have both return theirs, or both write it into an argument" in disagreement(
        {"args[0]": 1, "the result": 2}, {"args[0]": 1}
    )


def test_a_snapshot_holds_arguments_and_what_is_returned_beside_them() -> None:
    x, y = np.ones(2), np.zeros(2)
    copies = Copies((1, x, y))
    assert list(copies.snapshot(copies.args[2])) == ["args[1]", "args[2]"]
    assert list(copies.snapshot(3.0)) == ["args[1]", "args[2]", "the result"]
    assert list(copies.snapshot((3.0, 4.0)))[2:] == ["result 0", "result 1"]
