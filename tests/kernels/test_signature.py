"""C signatures: what is understood, and the one line for what is not."""

import numpy as np
import pytest

from kernelbench.errors import UsageError
from kernelbench.kernels._signature import ANY, parse


def test_pointers_and_numbers_are_told_apart_with_their_types() -> None:
    x, y, n, a = parse("void(const float *x, float* restrict y, int64_t n, double a)").parameters
    assert (x.name, x.pointer, x.const, x.dtype) == ("x", True, True, np.float32)
    assert (y.name, y.pointer, y.const) == ("y", True, False)
    assert (n.pointer, n.dtype) == (False, np.int64)
    assert a.dtype == np.float64


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("int", np.int32),
        ("unsigned int", np.uint32),
        ("size_t", np.uint64),
        ("long long", np.int64),
        ("short", np.int16),
    ],
)
def test_every_spelling_of_a_type_is_known(kind: str, dtype: type) -> None:
    assert parse(f"void({kind} n)").parameters[0].dtype == dtype


def test_a_prototype_copied_from_a_header_is_understood() -> None:
    signature = parse("int relu(const void *x, uint8_t *y, int n);")
    assert signature.returns_status
    assert signature.parameters[0].dtype is ANY


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("float(const float *x)", "returns float; a kernel writes its outputs and returns void"),
        ("void()", "takes nothing"),
        ("void(const float *)", "parameter 'const float *' is not understood; write each as a type and a name"),
        ("void(float **x)", "parameter 'float **x' is not understood"),
        ("void(flaot *x)", "unknown type 'flaot'; known are float, double"),
        ("void(float *x, int x)", "two parameters named 'x'"),
        ("relu", "write it like 'void(const float *x, float *y, int64_t n)'"),
        ("void(int (*f)(int))", "is not understood"),
    ],
)
def test_what_is_not_understood_is_quoted_with_what_is(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
