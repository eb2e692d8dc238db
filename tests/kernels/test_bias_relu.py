"""bias_relu: fused and in two passes give the same bits; the traffic of both stands in their work."""

import platform
from dataclasses import replace

import numpy as np
import pytest

from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._registry import NUMPY
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, of_op, ran

SHAPES = ((0, 0), (0, 3), (3, 0), (1, 1), (1, 65), (65, 1), (7, 15), (16, 16), (3, 17), (2, 1009), (33, 31))
ALL = of_op("bias_relu")


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("offset", [0, 1])
def test_bias_relu_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        found = ran(name, dtype, {"m": m, "n": n}, seed=m + n, offset=offset)
        x, b = found.inputs
        assert np.array_equal(found.outputs[0], np.maximum(x + b, 0))
        VARIANTS[name].check(found)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's own variant meets inf - inf here
@pytest.mark.parametrize(("name", "dtype"), ALL)
def test_special_values_give_what_numpy_gives(name: str, dtype: str) -> None:
    info = np.finfo(NUMPY[dtype])
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, info.smallest_subnormal, -info.smallest_subnormal, 1.0, -1.0]
    b = np.array([*values, info.max, -info.max], NUMPY[dtype])
    x = np.ascontiguousarray(np.repeat(b[:, None], b.size, axis=1))
    found = ran(name, dtype, {"m": b.size, "n": b.size}, inputs=(x, b))
    VARIANTS[name].check(found)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found.outputs[0], np.maximum(x + b, 0))


@pytest.mark.parametrize(("name", "dtype"), ALL)
def test_a_value_that_was_not_clipped_or_has_another_columns_bias_is_wrong(name: str, dtype: str) -> None:
    found = ran(name, dtype, {"m": 5, "n": 7}, seed=1)
    x, b = found.inputs
    for wrong in (x + b, np.maximum(x + np.roll(b, 1), 0)):
        with pytest.raises(WrongResult):
            VARIANTS[name].check(replace(found, outputs=(wrong,)))


def test_two_passes_read_and_write_the_result_once_more_than_the_fused_one() -> None:
    shape, matrix_bytes = {"m": 10, "n": 30}, 1200
    fused, unfused = (VARIANTS[f"bias_relu/{name}"].work(shape, "f32") for name in ("fused", "vectorized"))
    assert (fused.read_bytes, fused.write_bytes) == (matrix_bytes + 120, matrix_bytes)
    assert (unfused.read_bytes, unfused.write_bytes) == (2 * matrix_bytes + 120, 2 * matrix_bytes)
    assert (unfused.flop, unfused.rfo_bytes, unfused.working_set_bytes) == (600, matrix_bytes, 2 * matrix_bytes + 120)
    assert VARIANTS["bias_relu/numpy"].work(shape, "f32") == unfused


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_naive_is_scalar_and_the_rungs_above_are_vectors(dtype: str) -> None:
    assert isa_used(assembly("bias_relu/naive", dtype)) == "scalar"
    assert isa_used(assembly("bias_relu/vectorized", dtype)) != "scalar"
    assert isa_used(assembly("bias_relu/fused", dtype)) != "scalar"
