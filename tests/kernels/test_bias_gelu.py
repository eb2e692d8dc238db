"""bias_gelu: awkward shapes and values, fused against unfused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._registry import NUMPY
from kernelbench.kernels._rows import PARALLEL_ELEMENTS
from kernelbench.model import DTYPE_BYTES
from tests.kernels.running import VARIANTS, few, of_op, ran, sizes

ALL = of_op("bias_gelu")
SHAPES = ((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (3, 15), (2, 16), (3, 17), (2, 33), (3, 129), (2, 1009))


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("offset", [0, 1])
def test_bias_and_gelu_are_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for size in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sizes("bias_gelu", *size), seed=sum(size), offset=offset))


@few
@given(m=st.integers(1, 6), n=st.integers(1, 100), seed=st.integers(0, 99))
def test_fusing_changes_no_bit(m: int, n: int, seed: int) -> None:
    shape = sizes("bias_gelu", m, n)
    fused, apart = (ran(f"bias_gelu/{name}", "f32", shape, seed=seed) for name in ("fused", "vectorized"))
    VARIANTS["bias_gelu/fused"].check(fused)
    assert fused.outputs[0].tobytes() == apart.outputs[0].tobytes()


def test_parallel_bias_and_gelu_are_right_above_the_crossover() -> None:
    shape = sizes("bias_gelu", 5, PARALLEL_ELEMENTS // 5 + 1)
    VARIANTS["bias_gelu/parallel"].check(ran("bias_gelu/parallel", "f32", shape))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # inf - inf is meant here
@pytest.mark.parametrize(("name", "dtype"), ALL)
def test_special_sums_give_what_the_formula_gives(name: str, dtype: str) -> None:
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, 1.0, -1.0, 20.0, -20.0, -200.0, 1e4, -1e4]
    x, b = np.repeat(np.array([values], NUMPY[dtype]), 13, axis=0), np.array(values, NUMPY[dtype])
    found = ran(name, dtype, sizes("bias_gelu", 13, 13), inputs=(np.ascontiguousarray(x.T), b))
    VARIANTS[name].check(found)


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_two_passes_move_the_matrix_twice_more(dtype: str) -> None:
    shape = sizes("bias_gelu", 10, 20)
    fused, apart = (VARIANTS[f"bias_gelu/{name}"].work(shape, dtype) for name in ("fused", "vectorized"))
    matrix = 200 * DTYPE_BYTES[dtype]
    assert apart.read_bytes == fused.read_bytes + matrix
    assert apart.write_bytes == fused.write_bytes + matrix
    assert apart.flop == fused.flop
