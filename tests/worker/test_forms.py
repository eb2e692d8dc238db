"""Other forms of a kernel: operands in another order, code with something taken out."""

import numpy as np
import pytest

from kernelbench.worker.forms import Form, NoForm, empty_form, in_order, rewritten_form

NOTHING_TO_DIVIDE = "define i32 @k(ptr %r, ptr %e) {\n  ret i32 0\n}\n"


def test_indices_are_sorted_and_numbers_are_not() -> None:
    numbers, indices, output = np.array([3.0, 1.0]), np.array([1, 0]), np.zeros(2)
    kept, ordered, same = in_order([numbers, indices, output], 2)
    assert kept is numbers
    assert same is output
    assert ordered.tolist() == [0, 1]


def test_outputs_of_integers_are_no_indices() -> None:
    with pytest.raises(NoForm, match="no operand"):
        in_order([np.array([1.0, 2.0]), np.array([5, 4])], 1)


def test_bytes_and_negative_integers_are_no_indices() -> None:
    with pytest.raises(NoForm, match="no operand"):
        in_order([np.array([2, 1], np.int8), np.array([3, -1])], 2)


def test_code_without_the_thing_to_take_out_has_no_such_form() -> None:
    with pytest.raises(NoForm, match="nothing of the kind"):
        rewritten_form("no divides", NOTHING_TO_DIVIDE, "k", (), "native")


def test_an_empty_body_is_called_with_the_kernels_own_arguments() -> None:
    form: Form = empty_form([np.zeros(4), 3], jitted=True, python=False)
    assert form.run(10) >= 0
