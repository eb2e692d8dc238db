"""A case as the worker prepares, calls and verifies it, in this process."""

import os
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from kernelbench.kernels import _registry as registry
from kernelbench.kernels._check import Verification, close_to
from kernelbench.kernels._registry import NUMPY, Op, random_values
from kernelbench.kernels._scratch import workspace
from kernelbench.model import Accuracy, Case, Work
from kernelbench.worker.bench import Bench, CaseError, one_line
from kernelbench.worker.problems import Problems

CPU = (min(os.sched_getaffinity(0)),)
Make = Callable[..., Bench]


def right(v: Verification) -> Accuracy:
    return close_to(v.outputs[0], 2 * v.inputs[0].astype(np.float64), 1.0, 0.0, metric="error", reference="float64")


@numba.njit
def doubles(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        y[i] = 2 * x[i]


@numba.njit
def forgets_the_last(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size - 1):
        y[i] = 2 * x[i]


@numba.njit
def raises(x, y):  # type: ignore[no-untyped-def]
    raise ValueError("not today")


@numba.njit
def writes_its_input(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        y[i] = 2 * x[i]
    x[0] = 0


@numba.njit
def doubles_by_a_workspace(x, scratch, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        scratch[0] = 2 * x[i]
        y[i] = scratch[0]


def doubles_in_python(x: np.ndarray, y: np.ndarray) -> None:
    np.multiply(x, 2, out=y)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    """``make(function, sets=1)``: a bench of an op that doubles 100 numbers."""
    monkeypatch.setattr(registry, "_OPS", {})
    monkeypatch.setattr(registry, "_VARIANTS", {})
    op = Op(
        name="double",
        summary="y[n] = 2 x[n]",
        dims=("n",),
        inputs=lambda shape, dtype, rng: (random_values(rng, (shape["n"],), dtype),),
        outputs=lambda shape, dtype: (((shape["n"],), dtype),),
        work=lambda shape, dtype: Work(model="absent"),
        check=right,
    )
    problems = Problems()

    def bench(function: Callable[..., None], sets: int = 1, **options: Any) -> Bench:
        op.variant(style="naive", dtypes=("f32",), name=f"v{len(registry.variants())}", **options)(function)
        variant = list(registry.variants().values())[-1]
        case = Case("id", "double", variant.name, "naive", "f32", {"n": 100}, threads=1)
        made = Bench(variant, case, problems.get(op, case, 3), CPU, sets)
        made.compile()
        made.fill_outputs()
        return made

    return bench


@pytest.mark.parametrize("function", [doubles, doubles_in_python])
@pytest.mark.parametrize("sets", [1, 3])
def test_a_right_kernel_passes_before_and_after_more_calls(
    make: Make, function: Callable[..., None], sets: int
) -> None:
    bench = make(function, sets)
    assert bench.call_once("verify") >= 0
    assert bench.verify("verify").value == 0
    bench.run(5)
    bench.verify_again("verify-after")
    bench.verify_inputs("verify-after")


def test_outputs_hold_nan_before_the_call(make: Make) -> None:
    assert np.isnan(make(doubles).arguments[-1]).all()


def test_operands_are_copies_that_hold_the_inputs(make: Make) -> None:
    x, y = make(doubles).arguments
    assert x.flags.writeable
    assert x.dtype == y.dtype == NUMPY["f32"]
    assert (np.abs(x) >= 0.5).all()


def test_an_element_never_written_is_found(make: Make) -> None:
    bench = make(forgets_the_last)
    bench.call_once("verify")
    with pytest.raises(CaseError, match=r"wrong result: 1 of 100 elements wrong; worst at \[99\]: got nan") as caught:
        bench.verify("verify")
    assert caught.value.stage == "verify"


def test_a_wrong_output_in_any_operand_set_is_found(make: Make) -> None:
    bench = make(doubles, sets=3)
    bench.call_once("verify")
    bench.verify("verify")
    bench._sets[2][1][0][7] += 1
    with pytest.raises(CaseError, match=r"worst at \[7\]"):
        bench.verify_again("verify-after")


def test_an_exception_in_compiled_code_is_told_with_its_text(make: Make) -> None:
    with pytest.raises(CaseError, match=r"raised an exception inside the compiled call \(ValueError: not today\)"):
        make(raises).call_once("verify")


def test_a_kernel_that_writes_to_its_input_is_found(make: Make) -> None:
    bench = make(writes_its_input)
    bench.call_once("verify")
    with pytest.raises(CaseError, match="changed its inputs"):
        bench.verify_inputs("verify-after")


def test_a_kernel_may_write_to_its_workspace(make: Make) -> None:
    bench = make(doubles_by_a_workspace, prepare=lambda inputs, shape: (*inputs, workspace((1,), np.float32)))
    bench.call_once("verify")
    bench.verify("verify")
    bench.verify_inputs("verify-after")


def test_a_kernel_without_memory_is_out_of_memory(make: Make) -> None:
    def greedy(x: np.ndarray, y: np.ndarray) -> None:
        raise MemoryError("no room for 1 TiB")

    with pytest.raises(CaseError, match=r"^out of memory: no room for 1 TiB$"):
        make(greedy).call_once("warm-up")


@pytest.mark.parametrize(
    ("error", "text"),
    [(ValueError("a\n  b"), "ValueError: a b"), (KeyError("k"), "KeyError: 'k'"), (RuntimeError(), "RuntimeError")],
)
def test_an_exception_is_told_in_one_line(error: Exception, text: str) -> None:
    assert one_line(error) == text
