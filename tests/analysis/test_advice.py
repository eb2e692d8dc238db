"""All rules together: what comes first, how much is said, and that nothing in a file makes them fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.advice import KINDS, MOST_PER_OP, RULES, Advice, advise
from kernelbench.model import STYLES, Record, Result, Work
from kernelbench.report.advice import observed
from kernelbench.report.rows import rows
from tests.analysis.advising import SCATTERED, STEADY, stream, timed
from tests.builders import MACHINE_ID, ceilings, machine, result, sample


def of(made: Result) -> tuple[Advice, ...]:
    return advise(observed(rows(made), made), made)


def ladder() -> list[Record]:
    """A matmul with a great deal to say about."""
    return [
        timed("matmul/vectorized", 1.2e-2),
        timed("matmul/tiled", 4e-3),
        timed("matmul/parallel", 3.9e-3, threads=2),
        timed("matmul/int8", 1.4e-3, dtype="i8", style="quantized"),
        timed("matmul/openblas", 2.6e-3, style="library"),
        timed("matmul/tiled", 2e-4, n=256),
    ]


def test_the_largest_gain_comes_first() -> None:
    gains = [a.gain for a in of(result(ladder())) if not isinstance(a.gain, UnsetType)]
    assert len(gains) > 1
    assert gains == sorted(gains, reverse=True)


def test_at_most_three_are_given_for_one_op_and_as_many_for_the_next() -> None:
    more = [replace(r, case=replace(r.case, op="other", id="other" + r.case.id)) for r in ladder()]
    found = of(result([*ladder(), *more]))
    assert [sum(a.op == op for a in found) for op in ("matmul", "other")] == [MOST_PER_OP, MOST_PER_OP]


def test_a_doubt_about_the_numbers_comes_before_every_gain() -> None:
    assert of(result([*ladder(), timed("matmul/mine", 1e-4, style="tiled")]))[0].kind == "distrust"


def test_what_did_not_hold_still_comes_after_what_did_and_says_so() -> None:
    shaky = [timed("matmul/vectorized", 4e-2, pattern=SCATTERED), timed("matmul/tiled", 4e-3, pattern=SCATTERED)]
    steady = [stream("relu/vectorized", 6.8e-6, 65536), stream("relu/int8", 3e-6, 65536, dtype="i8")]
    found = of(result([*shaky, *steady]))
    assert [a.op for a in found][:2] == ["relu", "matmul"]
    assert found[1].text.endswith("Measure them again first: they did not hold still.")
    assert found[1].unsteady == found[1].case_ids


def test_fewer_bits_are_told_once() -> None:
    pair = [stream("relu/vectorized", 6.8e-6, 65536), stream("relu/int8", 1.9e-6, 65536, dtype="i8")]
    assert [a.kind for a in of(result(pair))] == ["fewer-bytes"]


def test_each_machine_of_a_file_has_its_own_advice() -> None:
    other = [replace(r, machine="feedfeedfeed") for r in ladder()]
    made = result([*ladder(), *other], machines={MACHINE_ID: machine(), "feedfeedfeed": machine("feedfeedfeed")})
    assert {a.machine for a in of(made)} == {MACHINE_ID, "feedfeedfeed"}


def test_every_advice_cites_cases_of_the_file() -> None:
    ids = {r.case.id for r in sample().records}
    assert all(a.case_ids and set(a.case_ids) <= ids for a in of(sample()))


@pytest.mark.parametrize(
    "made", [result([]), result([], ceilings=(), machines={}), result([timed("matmul/tiled", 3e-3)])]
)
def test_where_there_is_nothing_to_set_side_by_side_nothing_is_said(made: Result) -> None:
    assert of(made) == ()


def test_a_file_that_describes_no_machine_and_no_ceiling_still_gets_what_its_times_tell() -> None:
    found = of(result(ladder(), ceilings=(), machines={}))
    assert {a.kind for a in found} == {"library", "quantized", "threads"}


number = st.floats(0, 1e300) | st.just(UNSET)
works = st.builds(
    Work, model=st.just("declared"), flop=number, mix=st.sampled_from(["fma", "dot", "?", UNSET]), read_bytes=number,
    write_bytes=number, rfo_bytes=number, working_set_bytes=number,
)  # fmt: skip
records = st.builds(
    timed,
    st.sampled_from(["matmul/naive", "matmul/many_chains", "matmul/tiled_parallel", "matmul/tiled"]),
    st.sampled_from([1e-300, 1e-9, 1e-3, 1e-2, 1e9]),
    n=st.sampled_from([0, 1, 64, 512]),
    dtype=st.sampled_from(["f32", "i8", "bf16", "?"]),
    threads=st.sampled_from([1, 2]),
    pattern=st.sampled_from([STEADY, SCATTERED, (1.0,)]),
    style=st.sampled_from([*STYLES, "?"]),
    isa=st.sampled_from(["native", "avx2", "?"]),
    cache=st.sampled_from(["warm", "cold", "?"]),
    params=st.dictionaries(st.sampled_from(["chains", "group"]), st.integers(-1, 8) | st.text(max_size=1)),
    work=works,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(records, max_size=12), st.booleans())
def test_no_file_makes_a_rule_fail(made: list[Record], bare: bool) -> None:
    whole = result(made, ceilings=() if bare else ceilings(), machines={} if bare else {MACHINE_ID: machine()})
    for one in of(whole):
        assert one.kind in KINDS
        assert one.text.endswith(".")


def test_every_rule_has_a_kind_of_its_own_and_a_sentence_that_says_what_it_looks_for() -> None:
    assert {rule.__name__.replace("_", "-") for rule in RULES} == set(KINDS)
    assert all(rule.__doc__ for rule in RULES)
