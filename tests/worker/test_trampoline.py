"""The code by which a compiled loop enters a kernel, as it is emitted."""

import platform

import pytest

from kernelbench.native.jit import compile_ir
from kernelbench.worker.trampoline import into_numba

KERNEL, STEPS = 0x1000, 0x2000
"""Addresses; nothing is called."""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the fence is an instruction of x86-64")
def test_extra_work_begins_where_the_call_before_has_ended() -> None:
    assert "lfence" in compile_ir(into_numba(KERNEL, ["i64"], STEPS)).assembly


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the fence is an instruction of x86-64")
def test_code_that_can_do_no_extra_work_has_no_fence() -> None:
    assert "lfence" not in compile_ir(into_numba(KERNEL, ["i64"], 0)).assembly
