"""One case's code as a worker tells of it."""

import pytest

from kernelbench.worker.inspecting import note, readable


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("vfmadd231ps (%rax), %zmm1, %zmm2", "fma zmm, 32 FLOP, in 64 B"),
        ("vpdpbusd (%rdi){1to16}, %zmm1, %zmm0", "dot zmm, 128 OP, in 4 B"),
        ("vmovups %zmm0, 64(%rsp)", "spill zmm, out 64 B of stack"),
        ("addq $8, %rsi", "integer"),
        (".LBB0_6:", ""),
    ],
)
def test_a_line_says_what_it_does(line: str, said: str) -> None:
    assert note(line) == said


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("_ZN11kernelbench7kernels4relu10vectorizedB2v1B40c8tJTIeF", "kernelbench.kernels.relu.vectorized"),
        ("_ZN8__main__5saxpyB2v1", "__main__.saxpy"),
        ("__gufunc__._ZN13_3cdynamic_3e36__numba_parfor_gufunc_0x7ff6", "the body of a parallel loop"),
        ("memcpy", "memcpy"),
    ],
)
def test_a_symbol_becomes_the_functions_name(symbol: str, name: str) -> None:
    assert readable(symbol) == name
