"""Inputs and references are made once and shared; the least recently used go when there are too many."""

import numpy as np
import pytest

from kernelbench.kernels import _registry as registry
from kernelbench.model import Case
from kernelbench.worker import problems
from kernelbench.worker.problems import Problems
from tests.kernels.running import VARIANTS, some_shape

RELU = VARIANTS["relu/naive"].op


def case(n: int, variant: str = "relu/naive", dtype: str = "f32") -> Case:
    return Case(f"{variant}/{dtype}/n={n}", "relu", variant, "naive", dtype, {"n": n}, threads=1)


def test_variants_of_one_op_and_shape_share_their_inputs() -> None:
    kept = Problems()
    assert kept.get(RELU, case(8), 1) is kept.get(RELU, case(8, "relu/vectorized"), 1)


@pytest.mark.parametrize("other", [(9, "f32", 1), (8, "f64", 1), (8, "f32", 2)], ids=["shape", "dtype", "seed"])
def test_another_shape_type_or_seed_is_another_problem(other: tuple[int, str, int]) -> None:
    kept = Problems()
    n, dtype, seed = other
    assert kept.get(RELU, case(n, dtype=dtype), seed) is not kept.get(RELU, case(8), 1)


def test_shared_inputs_cannot_be_written() -> None:
    (x,) = Problems().get(RELU, case(8), 1).inputs
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 0


def test_the_size_counts_inputs_references_and_outputs_found_right() -> None:
    problem = Problems().get(RELU, case(100), 1)
    assert problem.size_bytes == 400
    problem.memo["exact"] = (np.zeros(10), 1.5, [np.zeros(5)])
    assert problem.size_bytes == 400 + 80 + 40
    problem.verified[RELU.check] = [([np.zeros(20)], None)]  # type: ignore[list-item]
    assert problem.size_bytes == 400 + 120 + 160


def test_the_least_recently_used_problem_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "LIMIT_BYTES", 1000)
    kept = Problems()
    first, second = kept.get(RELU, case(100), 1), kept.get(RELU, case(101), 1)
    assert kept.get(RELU, case(100), 1) is first
    kept.get(RELU, case(102), 1)
    assert kept.get(RELU, case(100), 1) is first
    assert kept.get(RELU, case(101), 1) is not second


def test_a_problem_larger_than_the_limit_is_kept_while_it_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "LIMIT_BYTES", 10)
    kept = Problems()
    large = kept.get(RELU, case(1000), 1)
    assert kept.get(RELU, case(1000), 1) is large
    kept.get(RELU, case(4), 1)
    assert kept.get(RELU, case(1000), 1) is not large


def test_every_op_of_the_catalogue_makes_a_problem() -> None:
    for op in registry.ops().values():
        variant = next(variant for variant in VARIANTS.values() if variant.op is op)
        shape = dict(some_shape(variant, 4))
        problem = Problems().get(op, Case("x", op.name, "x", "naive", variant.dtypes[0], shape, threads=1), 0)
        assert all(np.isfinite(x).all() for x in problem.inputs)
