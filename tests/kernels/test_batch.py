"""batch_relu and read: many arrays in order, and what merely reads."""

import platform

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._chains import PARALLEL_BYTES
from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS
from kernelbench.kernels.batch_relu import PIECE
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

BATCHES = ((0, 0), (0, 5), (5, 0), (1, 1), (1, 33), (33, 1), (7, 100), (100, 7))


@pytest.mark.parametrize(("name", "dtype"), of_op("batch_relu"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_batch_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for size in BATCHES:
        VARIANTS[name].check(ran(name, dtype, sizes("batch_relu", *size), seed=sum(size), offset=offset))


@pytest.mark.parametrize("size", [(PARALLEL_ELEMENTS // 100 + 1, 100), (1, PARALLEL_ELEMENTS + 1), (5, PIECE + 1)])
def test_a_parallel_batch_cuts_large_arrays_and_bundles_small_ones(size: tuple[int, int]) -> None:
    VARIANTS["batch_relu/parallel"].check(ran("batch_relu/parallel", "f32", sizes("batch_relu", *size)))


@pytest.mark.parametrize(("name", "dtype"), of_op("batch_relu"))
def test_a_batch_gives_its_results_in_order_and_nan_for_nan(name: str, dtype: str) -> None:
    x = np.arange(40, dtype=np.float64).reshape(20, 2).astype({"f64": np.float64, "f32": np.float32}[dtype])
    x[7] = np.nan, -1
    found = ran(name, dtype, sizes("batch_relu", 20, 2), inputs=(x,)).outputs[0]
    np.testing.assert_array_equal(found, np.maximum(x, 0))


@few
@given(k=st.integers(0, 30), n=st.integers(0, 70), seed=st.integers(0, 99))
def test_a_pool_gives_what_the_serial_loop_gives(k: int, n: int, seed: int) -> None:
    shape = sizes("batch_relu", k, n)
    pool, serial = (ran(f"batch_relu/{name}", "f32", shape, seed=seed).outputs[0] for name in ("pool", "serial"))
    assert pool.tobytes() == serial.tobytes()


@pytest.mark.parametrize("name", [name for name, _ in of_op("read")])
@pytest.mark.parametrize("offset", [0, 1])
def test_every_word_is_read_once(name: str, offset: int) -> None:
    for n in (0, 1, 2, 15, 16, 17, 127, 128, 129, 1009):
        VARIANTS[name].check(ran(name, "i32", {"n": n}, seed=n, offset=offset))


def test_parts_read_by_threads_are_all_counted() -> None:
    n = PARALLEL_BYTES // 4 + 5
    VARIANTS["read/parallel"].check(ran("read/parallel", "i32", {"n": n}))


@pytest.mark.parametrize("name", [name for name, _ in of_op("read")])
def test_a_word_read_twice_is_caught(name: str) -> None:
    found = ran(name, "i32", {"n": 100}, seed=4)
    found.outputs[0][0] ^= 1
    with pytest.raises(WrongResult, match="1 of 1 integers"):
        VARIANTS[name].check(found)


@pytest.mark.parametrize("name", [name for name, _ in of_op("read")])
def test_sums_of_words_wrap(name: str) -> None:
    x = np.full(9, 2**31 - 1, np.int32)
    found = ran(name, "i32", {"n": 9}, inputs=(x,))
    VARIANTS[name].check(found)
    assert found.outputs[0][0] == 2**31 - 9


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
def test_the_naive_read_is_scalar_and_the_next_rung_is_not() -> None:
    assert isa_used(assembly("read/naive", "i32")) == "scalar"
    assert isa_used(assembly("read/vectorized", "i32")) != "scalar"
