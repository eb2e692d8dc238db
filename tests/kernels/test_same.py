"""Kernels without a work model or a reference of their own: bytes from the operands, checked against one another."""

from collections.abc import Callable

import numpy as np
import pytest
from msgspec import UNSET

import kernelbench as kb
from kernelbench.kernels import _registry as registry
from kernelbench.kernels._check import Verification

Add = Callable[..., None]


@pytest.fixture
def op(monkeypatch: pytest.MonkeyPatch) -> kb.Op:
    """z[n] = x[n] + y[n] by two variants, each checked against the other, and no work model."""
    monkeypatch.setattr(registry, "_OPS", {})
    monkeypatch.setattr(registry, "_VARIANTS", {})
    op = kb.Op(
        "plus",
        "z[n] = x[n] + y[n]",
        ("n",),
        inputs=lambda shape, dtype, rng: tuple(kb.random_values(rng, (shape["n"],), dtype) for _ in range(2)),
        outputs=lambda shape, dtype: (((shape["n"],), dtype),),
        check=kb.same_as("first"),
    )
    op.variant(style="naive", dtypes=("f32", "f64"), name="first", check=kb.same_as("plus/second"))(add)
    op.variant(style="naive", dtypes=("f32", "f64", "bf16"), name="second")(add)
    return op


def add(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> None:
    np.add(x, y, out=z)


def verified(variant: str, off: float = 0.0, dtype: str = "f32") -> kb.Accuracy:
    """``variant``'s check on right outputs, the element 5 of which is ``off`` too large."""
    mine = registry.variants()[variant]
    inputs = mine.op.inputs({"n": 100}, dtype, np.random.default_rng(1))
    out = inputs[0] + inputs[1]
    out[5] += off
    return mine.check(Verification({"n": 100}, dtype, 1, inputs, inputs, (out,), {}))


@pytest.mark.usefixtures("op")
def test_a_variant_is_compared_with_the_one_it_names() -> None:
    said = verified("plus/second")
    assert (said.reference, said.value) == ("plus/first", 0)
    assert verified("plus/first").reference == "plus/second"


@pytest.mark.usefixtures("op")
def test_a_difference_beyond_the_types_rounding_is_wrong() -> None:
    assert 0 < verified("plus/second", 1e-7).value < 1e-6
    with pytest.raises(kb.WrongResult, match=r"1 of 100 elements wrong; worst at \[5\]"):
        verified("plus/second", 1e-4)


@pytest.mark.usefixtures("op")
def test_the_same_difference_is_wrong_in_f64() -> None:
    with pytest.raises(kb.WrongResult):
        verified("plus/second", 1e-7, "f64")


def test_a_kernel_is_refused_as_its_own_reference(op: kb.Op) -> None:
    op.variant(style="naive", dtypes=("f32",), name="alone", check=kb.same_as("alone"))(add)
    with pytest.raises(kb.UsageError, match=r"plus/alone is what others are compared with and cannot verify itself"):
        verified("plus/alone")


def test_a_reference_that_does_not_exist_is_told_with_near_ones(op: kb.Op) -> None:
    op.variant(style="naive", dtypes=("f32",), name="lost", check=kb.same_as("secand"))(add)
    with pytest.raises(kb.UsageError, match=r"'plus/secand', which does not exist; did you mean plus/second"):
        verified("plus/lost")


@pytest.mark.usefixtures("op")
def test_a_reference_without_the_number_type_is_refused() -> None:
    with pytest.raises(kb.UsageError, match="compared with plus/first, which has no bf16"):
        verified("plus/second", dtype="bf16")


@pytest.mark.usefixtures("op")
def test_the_reference_is_computed_once_on_the_same_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(registry.Variant, "call", lambda self, inputs: made.append(1) or np.zeros(100, np.float32))
    mine, memo = registry.variants()["plus/second"], {}  # type: ignore[var-annotated]
    out = np.zeros(100, np.float32)
    for _ in range(2):
        mine.check(Verification({"n": 100}, "f32", 1, (out,), (out,), (out,), memo))
    assert made == [1]


def test_without_a_work_model_the_bytes_are_the_operands_and_no_flop_is_guessed(op: kb.Op) -> None:
    work = registry.variants()["plus/second"].work({"n": 100}, "f32")
    assert (work.model, work.flop, work.mix) == ("absent", UNSET, UNSET)
    assert (work.read_bytes, work.write_bytes, work.working_set_bytes) == (800, 400, 1200)
    assert op.work({"n": 10}, "f64").read_bytes == 160


def test_a_prepared_operand_counts_as_it_is_timed(op: kb.Op) -> None:
    op.variant(style="naive", dtypes=("f32",), name="one", prepare=lambda inputs, shape: inputs[:1])(add)
    assert registry.variants()["plus/one"].work({"n": 100}, "f32").read_bytes == 400


def test_an_op_without_a_check_is_refused_with_what_to_give() -> None:
    with pytest.raises(kb.UsageError, match=r"op 'none' has no check; .*same_as"):
        kb.Op("none", "y = x", ("n",), inputs=lambda s, d, r: (), outputs=lambda s, d: ())
