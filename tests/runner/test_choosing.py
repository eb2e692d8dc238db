"""The one kernel that a command looks at, by name or glob, and its number type."""

import pytest

from kernelbench.errors import UsageError
from kernelbench.model import VariantInfo
from kernelbench.protocol import CatalogueReply
from kernelbench.runner.choosing import dtype_of, one_variant


def variant(name: str, *dtypes: str) -> VariantInfo:
    return VariantInfo(name, name.partition("/")[0], "naive", dtypes or ("f64", "f32"), "", False, False, True, "")


KNOWN = CatalogueReply((), (variant("sum/naive"), variant("sum/tiled"), variant("sum/int8", "i8")))


@pytest.mark.parametrize("asked", ["sum/tiled", "*/tiled", "sum/t*"])
def test_a_name_or_a_glob_of_one_kernel_names_it(asked: str) -> None:
    assert one_variant(asked, KNOWN, "profile").name == "sum/tiled"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("sum/*", r"names 3 kernels \(sum/naive, sum/tiled, sum/int8\); profile takes one"),
        ("sum", "is an op; profile takes one of its variants: sum/naive, sum/tiled, sum/int8"),
        ("sum/tild", "there is no kernel 'sum/tild'; did you mean"),
    ],
)
def test_anything_else_is_refused_with_what_there_is(asked: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        one_variant(asked, KNOWN, "profile")


def test_a_kernel_is_looked_at_in_f32_where_it_has_that() -> None:
    assert dtype_of(KNOWN.variants[0]) == "f32"
    assert dtype_of(KNOWN.variants[2]) == "i8"
    assert dtype_of(KNOWN.variants[0], "f64") == "f64"


def test_a_number_type_that_it_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match="sum/int8 has no dtype 'f32'; it has i8"):
        dtype_of(KNOWN.variants[2], "f32")
