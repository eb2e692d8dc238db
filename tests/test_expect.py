"""Rules of a configuration: which cases they are about, how they read, and what is wrong with them."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET

from kernelbench.config import load
from kernelbench.errors import ResultFileError
from kernelbench.expect import BOUNDS, Other, Rule, is_other, matches, problems, stored, unplanned
from kernelbench.model import Case
from tests.builders import case

DOCS = Path(__file__).parents[1] / "docs" / "EXPECTATIONS.md"

SQUARE = case("matmul/tiled", shape={"m": 512, "n": 512, "k": 512})
LONG = case("matmul/tiled", shape={"m": 1, "n": 4096, "k": 4096})
SPARSE = case("spmv/csr", shape={"m": 64, "k": 32}, params={"sparsity": 0.9, "mode": "fast"})


def rule(**keys: object) -> Rule:
    """A rule as TOML gives it, with a bound unless one is given."""
    return msgspec.convert(keys if keys.keys() & set(BOUNDS) else {"max_error": 1e-5, **keys}, Rule)


def complaint(**keys: object) -> str:
    return "; ".join(map(str, problems([msgspec.convert(keys, Rule)])))


@pytest.mark.parametrize(
    ("keys", "about"),
    [
        ({}, True),
        ({"kernel": "matmul/*"}, True),
        ({"kernel": "matmul/naive"}, False),
        ({"case": "matmul/tiled/f32/n=512/*"}, True),
        ({"case": "matmul/tiled/f64/*"}, False),
        ({"dtype": "f32", "threads": 1, "isa": "native", "cache": "warm"}, True),
        ({"threads": 2}, False),
        ({"cache": "cold"}, False),
    ],
)
def test_all_conditions_of_a_rule_must_hold(keys: dict[str, object], about: bool) -> None:
    assert matches(rule(**keys), SQUARE) is about


@pytest.mark.parametrize(
    ("wanted", "of", "found"),
    [
        (Other(kernel="matmul/naive"), case("matmul/naive"), True),
        (Other(kernel="matmul/naive"), case("matmul/naive", "f64"), False),
        (Other(kernel="matmul/naive"), case("matmul/naive", threads=2), False),
        (Other(kernel="matmul/naive"), case("matmul/naive", isa="avx2"), False),
        (Other(kernel="matmul/naive"), case("matmul/naive", cache="cold"), False),
        (Other(kernel="matmul/naive"), case("matmul/naive", shape={"m": 256, "n": 256, "k": 256}), False),
        (Other(kernel="matmul/naive", dtype="f64"), case("matmul/naive", "f64"), True),
        (Other(kernel="*/naive"), case("matmul/naive"), True),
        (Other(kernel="*/naive"), case("lowrank/naive"), False),
        (Other(kernel="lowrank/naive"), case("lowrank/naive"), True),
        (Other(threads=2), case("matmul/tiled", threads=2), True),
        (Other(threads=2), case("matmul/naive", threads=2), False),
        (Other(cache="cold"), case("matmul/tiled", cache="cold"), True),
        (Other(isa="avx2"), case("matmul/tiled", isa="avx2"), True),
    ],
)
def test_the_other_case_is_the_same_but_for_what_is_named(wanted: Other, of: Case, found: bool) -> None:
    assert is_other(wanted, case("matmul/tiled"), of) is found


def test_parameters_must_agree_only_where_both_have_them_unless_they_are_named() -> None:
    own = case("gemv/int4", params={"group": 32, "causal": 1})
    assert is_other(Other(kernel="gemv/dense"), own, case("gemv/dense", params={"causal": 1}))
    assert not is_other(Other(kernel="gemv/dense"), own, case("gemv/dense", params={"causal": 0}))
    assert is_other(Other(kernel="gemv/dense", params={"causal": 0}), own, case("gemv/dense", params={"causal": 0}))


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (
            {"kernel": "matmul/tiled", "dtype": "f32", "where": "n >= 512", "faster_than": "matmul/naive", "by": 5},
            "matmul/tiled f32 where n >= 512: at least 5x as fast as matmul/naive",
        ),
        ({"faster_than": {"threads": 1}, "threads": 2, "by": 1.6}, "t=2: at least 1.6x as fast as itself at t=1"),
        ({"faster_than": {"params": {"causal": 0}}}, "every case: at least 1x as fast as itself at causal=0"),
        (
            {"faster_than": {"kernel": "matmul/tiled", "dtype": "f32"}, "kernel": "matmul/int8"},
            "matmul/int8: at least 1x as fast as matmul/tiled at f32",
        ),
        ({"name": "near", "case": "gemv/*", "min_roof_fraction": 0.705}, "near (gemv/*: at least 70.5% of its roof)"),
        ({"max_seconds": 0.0012345}, "every case: at most 0.0012345 s a call"),
        ({"max_error": 1e-5}, "every case: error at most 1e-05"),
        ({"min_snr_db": 25}, "every case: signal at least 25 dB above the error"),
    ],
)
def test_a_rule_reads_as_a_sentence(keys: dict[str, object], text: str) -> None:
    assert rule(**keys).text == text


def test_a_rule_without_a_bound_has_none_to_give() -> None:
    with pytest.raises(ValueError, match="has no bound"):
        _ = Rule(name="x").bound


@pytest.mark.parametrize(
    ("keys", "parts"),
    [
        ({}, ["expect[0]: no bound given; accepted: one of faster_than"]),
        ({"max_error": 1, "max_seconds": 1}, ["expect[0].max_error: max_seconds is given as well", "[[expect]]"]),
        ({"max_error": 1, "by": 2}, ["expect[0].by: given without faster_than"]),
        ({"faster_than": "x/y", "by": 0}, ["expect[0].by: 0 given; accepted: from"]),
        ({"faster_than": "x/y", "by": float("nan")}, ["expect[0].by: nan given"]),
        ({"faster_than": ""}, ["expect[0].faster_than: nothing is named", "matmul/naive"]),
        ({"faster_than": {}}, ["expect[0].faster_than: nothing is named"]),
        ({"faster_than": {"threads": 0}}, ["expect[0].faster_than.threads: 0 given"]),
        ({"faster_than": {"dtype": "f23"}}, ["expect[0].faster_than.dtype: 'f23' given; did you mean", "f32"]),
        ({"min_roof_fraction": 70}, ["expect[0].min_roof_fraction: 70 given; accepted: from 0 to 1"]),
        ({"max_seconds": float("inf")}, ["expect[0].max_seconds: inf given"]),
        ({"max_error": -1}, ["expect[0].max_error: -1 given; accepted: from 0"]),
        ({"max_error": 1, "dtype": "f31"}, ["expect[0].dtype: 'f31' given"]),
        ({"max_error": 1, "cache": "hot"}, ["expect[0].cache: 'hot' given"]),
        ({"max_error": 1, "isa": "avx3"}, ["expect[0].isa: 'avx3' given"]),
        ({"max_error": 1, "threads": 0}, ["expect[0].threads: 0 given"]),
        ({"max_error": 1, "where": "n => 5"}, ["expect[0].where: 'n => 5' is no condition"]),
    ],
)
def test_a_rule_that_cannot_be_is_named_with_its_key(keys: dict[str, object], parts: list[str]) -> None:
    for part in parts:
        assert part in complaint(**keys)


PLANNED = (case("matmul/tiled"), case("matmul/naive"), SPARSE, case("matmul/parallel", threads=4))


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (
            {"kernel": "matmul/tild"},
            "expect[0].kernel: no kernel of this plan matches 'matmul/tild'; did you mean matmul/tiled",
        ),
        ({"faster_than": "matmul/naiv"}, "expect[0].faster_than: no kernel of this plan matches 'matmul/naiv'"),
        ({"case": "matmul/tiled/f64/*"}, "expect[0].case: no case of this plan matches 'matmul/tiled/f64/*'"),
        ({"case": "matmul/tiled/*", "kernel": "matmul/naive"}, "expect[0].case: no case of this plan matches"),
        (
            {"kernel": "matmul/*", "where": "nn >= 512"},
            "expect[0].where: no case of this rule has 'nn'; did you mean n",
        ),
        ({"kernel": "matmul/*", "where": "sparsity > 0"}, "expect[0].where: no case of this rule has 'sparsity'"),
    ],
)
def test_a_rule_that_can_match_nothing_of_the_plan_is_a_mistake(keys: dict[str, object], text: str) -> None:
    assert text in str(unplanned([rule(**keys)], PLANNED))


@pytest.mark.parametrize(
    "keys",
    [
        {"kernel": "matmul/parallel", "threads": 64},
        {"case": "matmul/parallel/f32/n=512/t=2"},
        {"case": "*/n=513/*"},
        {"kernel": "matmul/*", "where": "n >= 100000"},
        {"faster_than": {"threads": 1}},
    ],
)
def test_what_another_machine_or_another_size_may_match_is_no_mistake(keys: dict[str, object]) -> None:
    assert unplanned([rule(**keys)], PLANNED) is UNSET


def test_rules_survive_the_configuration_of_a_result() -> None:
    rules = (rule(kernel="a/*", faster_than={"threads": 1}, by=2), rule(max_error=0))
    assert stored({"expect": msgspec.to_builtins(rules)}) == rules
    assert stored({}) == ()


@pytest.mark.parametrize(
    "damaged", [3, [{"max_error": "x"}], [{}], [{"max_error": 1, "future": 2}], [{"max_error": 1, "where": "?"}]]
)
def test_damaged_rules_in_a_result_are_one_clear_line(damaged: object) -> None:
    with pytest.raises(ResultFileError, match="expectations in the result") as caught:
        stored({"expect": damaged})
    assert "\n" not in str(caught.value)


def test_the_example_of_the_documentation_is_a_valid_configuration(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (tmp_path / "c.toml").write_text(example)
    assert len(load(tmp_path / "c.toml").expect) == len(tomllib.loads(example)["expect"]) > 5


def test_every_key_of_a_rule_is_documented() -> None:
    text = DOCS.read_text()
    for name in (*Rule.__struct_fields__, *Other.__struct_fields__):
        assert f"`{name}`" in text or f"\n{name} = " in text
