"""C functions as kernels: what each parameter is given, and what can be wrong with a library. No compiler needed."""

from pathlib import Path

import numpy as np
import pytest

import kernelbench as kb
from tests.kernels.libraries import c_library, foreign

COPY = "void(const void *x, void *y, size_t n)"
X, Y = np.arange(8, dtype=np.int8), np.zeros(8, np.int8)


def test_called_from_python_it_does_what_the_symbol_does() -> None:
    y = np.zeros(8, np.int8)
    kb.c_function(c_library(), "bcopy", COPY)(X, y, n=8)
    assert y.tolist() == X.tolist()


def test_numbers_come_from_the_dimensions_by_name_and_else_from_the_operands_in_order() -> None:
    mine = kb.c_function("m.so", "f", "void(int8_t *x, int times, size_t n, int8_t *y, double a)")
    given = mine.bound((X, 3, 0.5, Y), {"n": 8}, outputs=1)
    assert given == (X.ctypes.data, 3, 8, Y.ctypes.data, 0.5)


def test_a_number_that_prepare_appends_may_be_taken_by_its_name() -> None:
    mine = kb.c_function("m.so", "f", "void(int8_t *x, int8_t *y, int times)")
    assert mine.bound((X, 3, Y), {"n": 8, "times": 3})[2] == 3


@pytest.mark.parametrize(
    ("signature", "operands", "said"),
    [
        ("void(float *x, int8_t *y)", (X, Y), "'float *x' is given an array of int8"),
        ("void(int8_t *x)", (X, Y), "it has 1 pointers for 2 arrays"),
        ("void(int8_t *x, const int8_t *y)", (X, Y), "'const int8_t *y' is given an output"),
        (
            "void(int8_t *x, int8_t *y, int m)",
            (X, Y),
            "parameter 'm' is neither a dimension or parameter of the op (n)",
        ),
        ("void(int8_t *x, int8_t *y, int8_t n)", (X, Y), "'int8_t n' cannot hold 1000"),
        ("void(int8_t *x, int8_t *y)", (X, 7, Y), "no parameter takes the operand 7"),
        ("void(int8_t *x, int8_t *y)", (X[::2], Y), "an array with gaps"),
    ],
)
def test_a_signature_that_does_not_fit_names_the_parameter(
    signature: str, operands: tuple[object, ...], said: str
) -> None:
    with pytest.raises(kb.UsageError) as caught:
        kb.c_function("m.so", "f", signature).bound(operands, {"n": 1000}, outputs=1)
    assert said in str(caught.value)


def test_the_path_is_relative_to_the_file_that_names_it() -> None:
    assert kb.c_function("m.so", "f", COPY).library == Path(__file__).resolve().parent / "m.so"


def test_a_library_that_is_not_built_yet_makes_the_kernel_unavailable() -> None:
    assert "no such library; build it first" in kb.c_function("m.so", "f", COPY).unavailable()


def test_a_file_that_is_no_library_is_refused() -> None:
    with pytest.raises(kb.UsageError, match="not a shared library"):
        kb.c_function(__file__, "f", COPY).address()


def test_a_library_of_another_architecture_is_refused_with_both_named(tmp_path: Path) -> None:
    library = foreign(tmp_path / "m.so", 243)
    with pytest.raises(kb.UsageError, match=r"m\.so: built for RISC-V, and this Python runs on \S+; build it for"):
        kb.c_function(library, "bcopy", COPY).address()


def test_a_missing_symbol_is_told_with_near_ones() -> None:
    with pytest.raises(kb.UsageError, match=r"no symbol 'bcopi'; did you mean .*bcopy"):
        kb.c_function(c_library(), "bcopi", COPY).address()


def test_a_library_that_is_cut_short_is_refused_before_the_loader_crashes_on_it(tmp_path: Path) -> None:
    (tmp_path / "m.so").write_bytes(c_library().read_bytes()[:4096])
    with pytest.raises(kb.UsageError, match=r"m\.so: cut short, 4096 of at least \d+ bytes; build it again"):
        kb.c_function(tmp_path / "m.so", "bcopy", COPY).address()
