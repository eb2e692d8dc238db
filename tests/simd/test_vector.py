"""The vector layer is as wide as the level that Numba compiles for, and does what its names say at any width."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.kernels import _gemm
from kernelbench.kernels._scratch import Scratch
from kernelbench.native.targets import TARGETS
from kernelbench.simd import vector
from kernelbench.simd.vector import Vector, copy_vector, element_bytes, element_pointer, lanes_of, moved, pointer_at

on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 targets")

AT_LEVEL = """
import json
from kernelbench.kernels import _gemm
from kernelbench.simd import vector
from tests.kernels.running import VARIANTS, assembly, ran, sizes

for shape in ((1, 1, 1), (13, 33, 5), (3 * _gemm.MR + 1, 65, 400)):
    found = ran("matmul/packed", "f32", sizes("matmul", *shape), seed=3, offset=1)
    VARIANTS["matmul/packed"].check(found)
emitted = assembly("matmul/packed", "f32")
spilled = [x for x in emitted.splitlines() if "fmadd" in x and "(%rsp)" in x]
seen = [name for name in ("%zmm", "%ymm", "fmadd") if name in emitted]
print(json.dumps([vector.vector_bytes(), vector.target_has_fma(), seen, len(spilled)]))
"""


@intrinsic
def scaled_sum(typingctx, factor, x, y):  # type: ignore[no-untyped-def]
    """y = factor x + y, one vector."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        v = Vector(signature.args[1].dtype.name)
        factor, x, y = args
        total = v.multiply_add(builder, v.broadcast(builder, factor), v.load(builder, x), v.load(builder, y))
        v.store(builder, builder.fadd(total, v.zero()), y)
        return context.get_dummy_value()

    return types.void(factor, x, y), codegen


@numba.njit
def at_offset(factor, x, y, offset):  # type: ignore[no-untyped-def]
    scaled_sum(factor, element_pointer(x, offset), moved(element_pointer(y, 0), offset))


@numba.njit
def copied(target, address):  # type: ignore[no-untyped-def]
    copy_vector(element_pointer(target, 1), pointer_at(address, target))


@numba.njit
def bytes_of(x):  # type: ignore[no-untyped-def]
    return element_bytes(x)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_one_vector_is_computed_wherever_it_lies_and_its_neighbours_are_left_alone(kind: type) -> None:
    lanes = lanes_of(np.dtype(kind).itemsize)
    x, y = np.arange(lanes + 4, dtype=kind), np.ones(lanes + 4, kind)
    at_offset(kind(3), x, y, 1)
    expected = np.ones(lanes + 4, kind)
    expected[1 : lanes + 1] += 3 * x[1 : lanes + 1]
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_one_vector_is_copied_from_an_address(kind: type) -> None:
    lanes = lanes_of(np.dtype(kind).itemsize)
    source, target = np.arange(lanes, dtype=kind), np.full(lanes + 2, 7, kind)
    copied(target, source.ctypes.data)
    np.testing.assert_array_equal(target, [7, *source, 7])


def test_the_size_of_an_element_is_that_of_its_type() -> None:
    assert [bytes_of(np.empty(2, kind)) for kind in (np.float32, np.float64)] == [4, 8]


def test_a_type_that_has_no_vector_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="int8"):
        Vector("int8")


@on_x86
@pytest.mark.parametrize(
    ("level", "size", "fused"), [("sse2", 16, False), ("sse4.2", 16, False), ("avx2", 32, True), ("avx512", 64, True)]
)
def test_width_and_fma_are_those_of_the_level_not_of_the_host(
    monkeypatch: pytest.MonkeyPatch, level: str, size: int, fused: bool
) -> None:
    monkeypatch.setattr(numba.core.config, "CPU_NAME", TARGETS[level].cpu)
    monkeypatch.setattr(numba.core.config, "CPU_FEATURES", TARGETS[level].features)
    assert (vector.vector_bytes(), vector.target_has_fma()) == (size, fused)


def test_there_are_no_vectors_where_the_vectorisers_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.core.config, "LOOP_VECTORIZE", 0)
    monkeypatch.setattr(numba.core.config, "SLP_VECTORIZE", 0)
    assert lanes_of(4) == lanes_of(8) == 1


def test_without_an_fma_no_library_function_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "target_has_fma", lambda: False)
    module, v = ir.Module(), Vector("float32")
    function = ir.Function(module, ir.FunctionType(v.type, [v.type] * 3), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(v.multiply_add(builder, *function.args))
    assert "llvm.fma" not in str(module)
    assert "fmul" in str(module)


@on_x86
@pytest.mark.parametrize(
    ("level", "expected"), [("sse2", [16, False, [], 0]), ("avx2", [32, True, ["%ymm", "fmadd"], 0])]
)
def test_the_packed_matmul_is_right_in_the_registers_of_a_lower_level(level: str, expected: list[object]) -> None:
    target = TARGETS[level]
    ended = subprocess.run(
        [sys.executable, "-c", AT_LEVEL],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"NUMBA_CPU_NAME": target.cpu, "NUMBA_CPU_FEATURES": target.features},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == expected


def test_scratch_memory_lives_as_long_as_its_address() -> None:
    work = Scratch.of(3 * _gemm.WORKSPACE_BYTES)
    assert work % 4096 == 0
    memory = work.memory
    begin = memory.ctypes.data
    assert begin <= work
    assert work + 3 * _gemm.WORKSPACE_BYTES <= begin + memory.size
