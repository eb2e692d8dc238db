"""Writing one element beside an operand is caught by name, whichever operand and side, before and after timing."""

import ctypes
import os
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from kernelbench.kernels import _registry as registry
from kernelbench.kernels._registry import Op, random_values
from kernelbench.model import Accuracy, Case, Work
from kernelbench.timing.arena import HUGE, PAGE, Arena
from kernelbench.timing.guards import GUARD, OTHER_PATTERN, PATTERN
from kernelbench.worker.bench import Bench, CaseError
from kernelbench.worker.problems import Problems

CPU = (min(os.sched_getaffinity(0)),)
NAMES = ("input 0", "input 1", "output 0", "output 1")
Kernel = Callable[..., None]


def sums(x: np.ndarray, y: np.ndarray, s: np.ndarray, d: np.ndarray) -> None:
    np.add(x, y, out=s)
    np.subtract(x, y, out=d)


def poking(operand: int, offset: int, value: int = 0x3F800000) -> Kernel:
    """``sums`` that then writes 4 bytes, ``offset`` elements from the begin (below 0) or the end of an operand."""

    def kernel(*arrays: np.ndarray) -> None:
        sums(*arrays)
        array = arrays[operand]
        place = array.ctypes.data + 4 * offset + (array.nbytes if offset >= 0 else 0)
        ctypes.c_uint32.from_address(place).value = value

    return kernel


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    """``bench(kernel, n=100, sets=1)``: two inputs and two outputs of ``n`` f32."""
    monkeypatch.setattr(registry, "_OPS", {})
    monkeypatch.setattr(registry, "_VARIANTS", {})
    op = Op(
        name="sums",
        summary="s[n] = x[n] + y[n], d[n] = x[n] - y[n]",
        dims=("n",),
        inputs=lambda shape, dtype, rng: tuple(random_values(rng, (shape["n"],), dtype) for _ in range(2)),
        outputs=lambda shape, dtype: (((shape["n"],), dtype),) * 2,
        work=lambda shape, dtype: Work(model="absent"),
        check=lambda v: Accuracy("error", 0.0, "none", 0.0),
    )

    def make(kernel: Kernel, n: int = 100, sets: int = 1) -> Bench:
        op.variant(style="naive", dtypes=("f32",), name="kernel")(kernel)
        case = Case("id", "sums", "sums/kernel", "naive", "f32", {"n": n}, threads=1)
        made = Bench(registry.variants()["sums/kernel"], case, Problems().get(op, case, 3), CPU, sets)
        made.compile()
        return made

    return make


# A page is 1024 f32: no padding is left at its end.
@pytest.mark.parametrize("n", [1, 100, 1024, 4096])
@pytest.mark.parametrize("operand", range(4))
@pytest.mark.parametrize(("offset", "where"), [(-1, "before"), (0, "after")])
def test_one_element_beside_an_operand_is_caught_by_name(
    bench: Callable[..., Bench], n: int, operand: int, offset: int, where: str
) -> None:
    made = bench(poking(operand, offset), n)
    with pytest.raises(CaseError, match=f"^the kernel wrote 1 element {where} {NAMES[operand]}; it must stay within"):
        made.call_once("verify")


def test_the_farthest_element_is_told(bench: Callable[..., Bench]) -> None:
    with pytest.raises(CaseError, match="wrote 3 elements after output 1"):
        bench(poking(3, 2)).call_once("verify")


def test_an_overrun_in_any_operand_set_is_caught(bench: Callable[..., Bench]) -> None:
    made = bench(poking(2, 0), sets=3)
    made.run(3)
    for guard in made._guards[:8]:
        guard.fill()
    with pytest.raises(CaseError, match="after output 0"):
        made.verify_guards("verify-after")


def test_a_value_that_happens_to_be_the_pattern_is_caught_beside_the_other(bench: Callable[..., Bench]) -> None:
    made = bench(poking(2, 0, value=0x01010101 * PATTERN))
    made.call_once("verify")
    made.fill_guards(OTHER_PATTERN)
    with pytest.raises(CaseError, match="wrote 1 element after output 0"):
        made.call_once("verify-after")


def test_a_kernel_that_stays_within_its_operands_passes(bench: Callable[..., Bench]) -> None:
    made = bench(sums, 1024, sets=2)
    made.call_once("verify")
    made.restore_inputs()
    made.verify_guards("verify-after")


def test_guards_leave_the_operands_where_they_are() -> None:
    places = []
    for guarded in (False, True):
        arena = Arena(Arena.room([3000, PAGE, 64]), CPU, guarded=guarded)
        made = [arena.empty((size,), np.dtype(np.uint8)) for size in (3000, PAGE, 64)]
        places.append([array.ctypes.data - arena.address for array in made])
        assert arena.address % HUGE == 0
    assert places[0] == places[1]


def test_guards_overlap_neither_operands_nor_one_another() -> None:
    sizes = [PAGE] * 9
    arena = Arena(Arena.room(sizes), CPU, guarded=True)
    arrays = [arena.empty((size,), np.dtype(np.uint8)) for size in sizes]
    zones = [*arrays, *(zone for guard in arena.guards for zone in (guard.before, guard.after))]
    spans = sorted((zone.ctypes.data, zone.ctypes.data + zone.nbytes) for zone in zones)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert all(guard.before.size == guard.after.size == GUARD for guard in arena.guards)
