"""The conditions of a rule: what they are about, and what is no condition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.errors import UsageError
from kernelbench.expect import Rule, matches
from kernelbench.expect.where import Condition, conditions
from kernelbench.model import Case
from tests.builders import case

SQUARE = case("matmul/tiled", shape={"m": 512, "n": 512, "k": 512})
LONG = case("matmul/tiled", shape={"m": 1, "n": 4096, "k": 4096})
SPARSE = case("spmv/csr", shape={"m": 64, "k": 32}, params={"sparsity": 0.9, "mode": "fast"})


@pytest.mark.parametrize(
    ("text", "of", "holds"),
    [
        ("n >= 512", SQUARE, True),
        ("n>512", SQUARE, False),
        ("n >= 512, k <= 512 , m = 512", SQUARE, True),
        ("n >= 512, k < 512", SQUARE, False),
        ("m = 1", LONG, True),
        ("n == 4096", LONG, True),
        ("m != 1", LONG, False),
        ("n >= 64", SPARSE, False),
        ("sparsity > 0.5", SPARSE, True),
        ("sparsity = 9e-1", SPARSE, True),
        ("mode = fast", SPARSE, True),
        ("mode != slow", SPARSE, True),
        ("mode = 1", SPARSE, False),
        ("mode > 1", SPARSE, False),
        ("sparsity = fast", SPARSE, False),
        ("sparsity != fast", SPARSE, True),
        ("t = 1", SPARSE, True),
        ("threads > 1", SPARSE, False),
        ("", SPARSE, True),
    ],
)
def test_conditions_are_about_dimensions_parameters_and_threads(text: str, of: Case, holds: bool) -> None:
    assert matches(Rule(where=text), of) is holds


def test_n_is_what_the_id_says_where_all_dimensions_are_equal() -> None:
    equal = case("transpose/naive", shape={"rows": 64, "columns": 64})
    assert "n=64" in equal.id
    assert matches(Rule(where="n = 64"), equal)
    assert not matches(Rule(where="n = 64"), case("transpose/naive", shape={"rows": 64, "columns": 32}))


def test_a_condition_on_a_name_that_a_case_lacks_does_not_hold() -> None:
    assert not matches(Rule(where="sparsity != 0.5"), SQUARE)


@pytest.mark.parametrize(
    "text",
    ["n", ">= 5", "n >= ", "n => 5", "5 <= n", "512 <= n <= 1024", "n >= 5,", "n >= five", "n = 1_0", "n = \u0665"],
)
def test_what_is_no_condition_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"n >= 512"):
        conditions(text)


@given(st.text(max_size=40) | st.from_regex(r"[a-c]{1,2} ?[<>=!]{1,3} ?[0-9.e+-]{1,8},?", fullmatch=True))
def test_whatever_the_conditions_are_they_are_read_or_refused_in_one_line(text: str) -> None:
    try:
        found = conditions(text)
    except UsageError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert all(isinstance(condition, Condition) for condition in found)
    assert not refusal or ("accepted" in refusal and "\n" not in refusal)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
            st.sampled_from([">=", "<=", ">", "<", "=", "==", "!="]),
            st.integers(-(10**17), 10**17) | st.floats(0, 1e17).filter(lambda x: "e-" not in repr(x)),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["", " ", "  "]),
)
def test_conditions_that_were_written_are_read_back(parts: list[tuple[str, str, float]], gap: str) -> None:
    text = ",".join(f"{gap}{name}{gap}{sign}{gap}{value}{gap}" for name, sign, value in parts)
    assert [(c.name, c.sign, c.value) for c in conditions(text)] == parts
