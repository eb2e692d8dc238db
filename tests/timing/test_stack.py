"""Slices timed on a stack of one's own choosing."""

import ctypes
import mmap
import subprocess
import sys

import numpy as np
import pytest

from kernelbench.native.jit import Code, compile_ir
from kernelbench.timing import stack
from kernelbench.timing.loops import Calls

SIZE = 256 << 10
KERNEL = """
define void @where(ptr %block) {
  %here = alloca i64, align 8
  %address = ptrtoint ptr %here to i64
  store volatile i64 %address, ptr %here
  store i64 %address, ptr %block
  ret void
}
"""
OVERFLOW = """
import ctypes
from kernelbench.gate.memory import ADDRESS, create
from kernelbench.native.jit import compile_ir
from kernelbench.protocol import RESERVED_BYTES, SharedMemory
from kernelbench.timing.loops import Calls
from kernelbench.timing.shared import attach
size = RESERVED_BYTES + (2 << 20)
shared = attach(SharedMemory(create(size), ADDRESS, size))
code = compile_ir('''
define void @deep(ptr %block) {
  %many = alloca [1048576 x i64]
  store volatile i64 0, ptr %many
  ret void
}
''')
print("ready", flush=True)
Calls(code.address("deep"), [shared.arguments.ctypes.data], shared.stack).slices(1, 1)
print("not reached")
"""
"""A kernel that wants 8 MiB of the 6 MiB that there are."""

needs_switch = pytest.mark.skipif(not stack.available(), reason="switching stacks is not known for this architecture")


@pytest.fixture(scope="module")
def code() -> Code:
    """A kernel that tells where its frame lies."""
    return compile_ir(KERNEL)


@pytest.fixture
def memory() -> np.ndarray:
    """Room for a stack."""
    return np.frombuffer(mmap.mmap(-1, SIZE), np.uint8)


@needs_switch
def test_a_kernel_s_frame_lies_just_below_the_top_it_was_given(code: Code, memory: np.ndarray) -> None:
    seen = ctypes.c_int64()
    top = memory.ctypes.data + SIZE
    Calls(code.address("where"), [ctypes.addressof(seen)], top).slices(3, 2)
    assert top - 1024 < seen.value < top


def test_without_a_top_the_caller_s_own_stack_is_used(code: Code, memory: np.ndarray) -> None:
    seen = ctypes.c_int64()
    Calls(code.address("where"), [ctypes.addressof(seen)]).slices(3, 2)
    assert seen.value
    assert not memory.ctypes.data <= seen.value < memory.ctypes.data + SIZE


def test_as_many_slices_come_back_as_on_the_caller_s_own_stack(code: Code, memory: np.ndarray) -> None:
    seen = ctypes.c_int64()
    batch = Calls(code.address("where"), [ctypes.addressof(seen)], memory.ctypes.data + SIZE).slices(100, 5)
    assert len(batch.seconds) == 5
    assert len(batch.looks) == 6
    assert all(one > 0 for one in batch.seconds)


@needs_switch
def test_what_runs_over_the_end_of_the_shared_stack_ends_the_process_and_touches_no_operand() -> None:
    done = subprocess.run([sys.executable, "-c", OVERFLOW], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "ready\n"
    assert done.returncode < 0
