"""What LLVM's vectoriser says, read off its output."""

from kernelbench.native.remarks import Remark, parse, source_lines

SAID = """remark: sum.py:64:1: loop not vectorized: cannot prove it is safe to reorder floating-point operations
remark: <unknown>:0:0: vectorized loop (vectorization width: 16, interleaved count: 4)
Unsafe indirect dependence.
remark: <unknown>:0:0: vectorized loop (vectorization width: 16, interleaved count: 4)
a warning of something else
"""


def test_remarks_are_read_each_once_and_nothing_else_is() -> None:
    assert parse(SAID) == [
        Remark("sum.py", 64, "loop not vectorized: cannot prove it is safe to reorder floating-point operations"),
        Remark("", 0, "vectorized loop (vectorization width: 16, interleaved count: 4)"),
    ]


def test_only_a_loop_that_became_vectors_is_vectorized() -> None:
    assert [remark.vectorized for remark in parse(SAID)] == [False, True]


def test_lines_of_assembly_are_traced_to_their_source() -> None:
    text = '\t.file\t1 "/a/folder" "my.py"\nkernel:\n\t.loc\t1 12 1\n\tincq\t%rax\n\tretq\n'
    assert source_lines(text)[3] == ("my.py", 12)
    assert source_lines(text)[1] == ("", 0)
