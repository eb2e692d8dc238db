"""The loop that does the work of a kernel of the catalogue: found through epilogues, packing and copies, by counting.

Each row says what that loop must contain, as its kernel's text promises. Compiled for this machine's own vectors.
"""

import ctypes
import platform
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import pytest

from kernelbench.model.inspection import Mix
from kernelbench.native.assembly import isa_used
from kernelbench.native.counting import CountingCopy
from kernelbench.native.histogram import histogram
from kernelbench.native.jit import compile_ir
from kernelbench.native.loops import Loop, hot_loop, most_run
from kernelbench.worker.entry import Block, word_kinds
from kernelbench.worker.trampoline import into_numba
from tests.kernels.running import VARIANTS, empty_outputs, some_shape

pytestmark = [
    pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly"),
]

WIDE = {"avx512": "zmm", "avx2": "ymm", "sse2": "xmm"}
"""What the code may use at most -> the width its hot loop computes in."""


def has(*kinds: str, of: str = "") -> Callable[[Mix, str], bool]:
    """Every one of ``kinds`` is there in whole vectors of the code's width (or of width ``of``)."""
    return lambda found, widest: all(found.counts.get(kind, {}).get(of or widest) for kind in kinds)


PROMISED: dict[str, tuple[str, int, Callable[[Mix, str], bool]]] = {
    # variant: (dtype, size, what its hot loop has)
    "relu/vectorized": ("f32", 4000, has("compare", "load", "store")),
    "triad/vectorized": ("f32", 4000, has("fma", "load", "store")),
    "triad/naive": ("f64", 4000, has("load", "store", of="scalar")),
    "sum/naive": ("f32", 4000, has("add/mul", of="scalar")),
    "sum/vectorized": ("f32", 4000, has("add/mul", "load")),
    "dot/vectorized": ("f32", 4000, has("fma", "load")),
    "max/vectorized": ("f64", 4000, has("compare")),
    "gelu/vectorized": ("f32", 4000, has("fma", "add/mul", "compare")),
    "softmax/three_pass": ("f32", 200, has("fma", "add/mul")),
    "gemv/tiled": ("f32", 512, has("fma", "load")),
    "dequantize/vectorized": ("f32", 512, has("convert", "add/mul", "store")),
    "matmul/naive": ("f32", 96, has("add/mul", "load", of="scalar")),
    "matmul/tiled": ("f32", 96, has("fma", "load")),
    "matmul/packed": ("f32", 160, has("fma", "load")),
    "matmul/int8": ("i8", 160, has("dot", "load")),
    "conv2d/tiled": ("f32", 64, has("fma", "load")),
    "spmv/vectorized": ("f32", 200, has("load")),
    "transpose/blocked": ("f32", 96, has("load", "store", of="scalar")),
}
SLOW = {"matmul/int8", "matmul/packed", "conv2d/tiled"}
"""Several seconds of compiling each."""


@cache
def counted(name: str) -> tuple[str, Loop, float]:
    """(assembly, the loop that ran most in a real call, its share of all instructions)."""
    dtype, size, _ = PROMISED[name]
    variant = VARIANTS[name]
    shape = some_shape(variant, size)
    made = variant.make_inputs(shape, dtype).arrays
    arguments: tuple[Any, ...] = (*made, *empty_outputs(variant, shape, dtype))
    anew = numba.jit(**variant.function.targetoptions)(variant.function.py_func)
    signature = tuple(numba.typeof(x) for x in arguments)
    anew.compile(signature)
    result = anew.overloads[signature]
    assembly = result.library.get_asm_str()
    copy = CountingCopy(assembly, result.fndesc.llvm_func_name)
    entry = compile_ir(into_numba(copy.address, [kind for x in arguments for kind in word_kinds(x)], 0))
    block = Block(arguments)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(entry.address("enter"))(block.address)
    assert block.status == 0
    counts = copy.counts()
    loop = most_run(assembly, counts)
    assert isinstance(loop, Loop)
    share = sum(counts[loop.function][place] for place in loop.places) / sum(map(sum, counts.values()))
    return assembly, loop, share


NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in PROMISED]


@pytest.mark.parametrize("name", NAMES)
def test_the_hot_loop_is_what_the_kernel_promises(name: str) -> None:
    assembly, loop, _ = counted(name)
    found = histogram(loop.lines)
    assert PROMISED[name][2](found, WIDE.get(isa_used(assembly), "scalar")), found.counts


@pytest.mark.parametrize("name", NAMES)
def test_the_hot_loop_is_no_remainder_but_a_good_part_of_all_that_ran(name: str) -> None:
    assert counted(name)[2] > 0.2


@pytest.mark.parametrize("name", NAMES)
def test_looks_alone_find_a_loop_of_the_same_sort(name: str) -> None:
    """Without counting (a call that cannot be made): not always the same tile, but the same work in the same width."""
    assembly, loop, _ = counted(name)
    guessed = hot_loop(assembly)
    assert isinstance(guessed, Loop)
    assert histogram(guessed.lines).width == histogram(loop.lines).width
    assert PROMISED[name][2](histogram(guessed.lines), WIDE.get(isa_used(assembly), "scalar"))
