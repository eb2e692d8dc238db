"""A profile in the terminal, as Markdown and as JSON: every number of the file in words, nothing invented."""

import json

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.errors import ResultFileError
from kernelbench.model import (
    Bound,
    CacheStates,
    Cause,
    Counterfactual,
    Counters,
    Failed,
    Result,
    TimeSplit,
    Unknown,
    Work,
)
from kernelbench.report import profile_json, profile_md, profile_terminal
from kernelbench.report.profile import sentence, view
from tests.builders import record
from tests.profiles import L2, of_size, profile, profiled
from tests.report.page_data import EVIL


def shown(result: Result | None = None, width: int = 80) -> str:
    return profile_terminal.render(result or profiled(), width=width, colour=False)


def part(title: str, result: Result | None = None) -> str:
    """The block below a heading."""
    return next(block for block in shown(result).split("\n\n") if block.startswith(title))


def test_the_first_line_says_how_far_from_the_roof_and_what_bounds_it() -> None:
    first = shown().splitlines()[0]
    assert first == "matmul/tiled f32 n=512: 31.9% of its roof (117 GFLOP/s), bound by L2 bandwidth"


def test_a_bound_that_was_not_told_apart_is_not_claimed() -> None:
    unsure = Bound("not told apart: L2 bandwidth or latency", (L2, replace(L2, kind="latency", name="latency")))
    said = sentence(view(profiled(profile(bound=unsure))))
    assert said.endswith("what bounds it is not told apart: L2 bandwidth or latency")
    assert "Either L2 bandwidth" in part("What holds it back", profiled(profile(bound=unsure)))


def test_without_a_roof_the_time_of_a_call_stands_in_its_place() -> None:
    assert "7.20 ms a call, no roof to set it against" in sentence(view(profiled(ceilings=())))


@pytest.mark.parametrize("width", [72, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, shown(width=width).splitlines())) <= width


def test_the_change_that_names_the_cause_is_marked_with_its_effect_in_rates() -> None:
    marked = [line for line in part("What holds it back").splitlines() if line.startswith("  > inside L1")]
    assert len(marked) == 1
    assert "1.90x faster" in marked[0]
    assert "70.4 GFLOP/s" in marked[0]


def test_a_change_that_supports_nothing_is_shown_and_not_marked() -> None:
    assert "    no arithmetic" in part("What holds it back")
    assert "as fast" in part("What holds it back")


def test_less_work_is_told_as_what_remains_and_not_as_a_speedup() -> None:
    line = next(line for line in part("What holds it back").splitlines() if line.startswith("  > smallest size"))
    assert "remains" in line
    assert "faster" not in line


def test_a_change_that_was_not_measured_has_no_line_of_numbers() -> None:
    assert "sorted indices" not in part("What holds it back")
    assert "sorted indices: no operand holds indices" in part("Not measured")


@pytest.mark.parametrize(("dispatch_s", "share"), [(0.0, "0.0%"), (2e-6, "20.0%"), (1e-5, "100.0%")])
def test_the_bar_of_a_call_is_as_long_as_the_terminal_whatever_its_shares(dispatch_s: float, share: str) -> None:
    bar = profile_terminal.bar(TimeSplit(1e-5, dispatch_s, 1e-5 - dispatch_s, 1e-9, ""), 70)
    assert bar.startswith(f"dispatch {share} ")
    assert len(bar) == 70


def test_cold_operands_that_took_less_than_warm_ones_are_called_a_disturbed_host() -> None:
    odd = profiled(profile(states=CacheStates(7.2e-3, 5e-3)))
    assert "the host was not quiet" in " ".join(part("Time of one call", odd).split())


def test_an_unknown_time_has_no_line() -> None:
    assert "cold" not in part("Time of one call", profiled(profile(states=CacheStates(7.2e-3, Unknown("no memory")))))


def test_the_curve_of_sizes_marks_the_caches_and_names_its_axes() -> None:
    block = part("Size")
    assert "L1" in block.splitlines()[2]
    assert "x: bytes of one thread   y: GFLOP/s" in block
    assert "n=512 *" in block


def test_sizes_of_a_kernel_without_a_work_model_are_told_in_the_unit_of_the_engine() -> None:
    bare = tuple(record(of_size(n), (1e-3,) * 3, work=Work("absent")) for n in (256, 512))
    points = tuple(p for p in profile().sizes if p.case in {one.case.id for one in bare})
    block = part("Size", profiled(profile(sizes=points, unit="element"), records=bare))
    assert "G elements/s" in block


def test_one_size_is_no_sweep() -> None:
    assert "\nSize\n" not in shown(profiled(profile(sizes=profile().sizes[:1])))


def test_threads_and_instruction_sets_tell_their_speedups() -> None:
    assert "1.85x       92.5%" in part("Threads")
    assert "2.92x" in part("Instruction sets")


def test_counters_are_told_per_cycle_and_their_absence_with_the_reason() -> None:
    assert "none: no PMU: KVM guest" in part("Code and counters")
    counted = profiled(profile(counters=Counters(2e6, 5e6, {"cache-misses": 12.0}), no_counters=""))
    assert "5000000, 2.50 a cycle" in part("Code and counters", counted)
    assert "cache-misses a call" in part("Code and counters", counted)


def test_what_was_not_measured_for_one_reason_is_one_line() -> None:
    notes = ("no divides: called from Python", "no unpacking: called from Python", "it has one size")
    block = part("Not measured", profiled(profile(notes=notes)))
    assert block.splitlines()[1:] == ["  - no divides, no unpacking: called from Python", "  - it has one size"]


def test_a_case_of_a_sweep_that_failed_is_named_with_what_was_wrong() -> None:
    failed = record(of_size(2048), Failed("verify", "wrong result"))
    told = profiled(records=(*profiled().records, failed))
    assert "matmul/tiled/f32/n=2048/t=1: verify: wrong result" in part("Not measured", told)


def test_advice_comes_last_and_is_numbered() -> None:
    assert shown().rstrip().splitlines()[-2:] == [
        "  1. Keep a block of b inside L2.",
        "  2. Two threads are 1.85x faster.",
    ]


def test_an_interrupted_profile_says_so_at_the_top() -> None:
    assert "The profile was interrupted" in shown(profiled(interrupted=True)).split("\n\n")[0]


def hostile() -> Result:
    """Every text of the profile is a trap."""
    cause = Cause("latency", EVIL, (EVIL,), EVIL, 0.5)
    tried = Counterfactual(EVIL, EVIL, EVIL, 1e-3, 5e-4)
    return profiled(
        profile(
            bound=Bound(EVIL, (cause,)),
            counterfactuals=(tried,),
            no_counters=EVIL,
            advice=(EVIL,),
            notes=(EVIL,),
            unit=EVIL,
            levels=((EVIL, 1 << 15),),
        ),
        notes=(EVIL,),
    )


def test_texts_of_a_file_steer_no_terminal() -> None:
    assert "\x1b" not in shown(hostile())
    assert "\u202e" not in shown(hostile())


def test_texts_of_a_file_are_no_markup_in_markdown() -> None:
    assert "<script>" not in profile_md.render(hostile()).replace("\\<", "")


def test_markdown_opens_with_the_evidence_and_brief_leaves_the_rest_out() -> None:
    whole, brief = profile_md.render(profiled()), profile_md.render(profiled(), brief=True)
    assert whole.startswith("# matmul/tiled f32 n=512: 31.9% of its roof")
    assert "<details><summary>Size</summary>" in whole
    assert "<details>" not in brief
    assert "1.90x faster" in brief
    assert "Keep a block of b inside L2." in brief


def test_json_holds_the_profile_its_sentence_and_the_rows_of_its_sweeps() -> None:
    told = json.loads(profile_json.render(profiled()))
    assert told["kind"] == "profile"
    assert told["finding"].startswith("matmul/tiled f32 n=512")
    assert told["profile"]["bound"]["causes"][0]["level"] == "L2"
    assert {row["case_id"] for row in told["rows"]} >= {of_size(n).id for n in (32, 512)}
    assert "null" not in profile_json.render(profiled())


@pytest.mark.parametrize("broken", [profiled(profile=UNSET), profiled(records=())], ids=["no profile", "no record"])
def test_a_file_that_lacks_its_profile_or_record_is_called_damaged(broken: Result) -> None:
    for render in (shown, profile_md.render, profile_json.render):
        with pytest.raises(ResultFileError, match="damaged or edited"):
            render(broken)
