"""The ladder: rungs in order, what each step bought, the library and the roof beside them."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from kernelbench.model import Result, Skipped, Work
from kernelbench.report import section_ladder
from kernelbench.report.columns import COLUMNS
from kernelbench.report.ladder_rungs import ladders
from kernelbench.report.rows import rows
from kernelbench.report.section import Section
from tests.builders import case, matmul_work, record, result, sample
from tests.report.chromium import browser, page_of
from tests.report.drawn_figures import page_with

__all__ = ["browser"]

EVIL = "</script><script>alert(1)</script>\x1b[31m\u202e"


def made(of: Result) -> Section:
    found = section_ladder.section(rows(of), of)
    assert not isinstance(found, UnsetType)
    return found


def spec(of: Result) -> dict[str, Any]:
    return made(of).figures[0].spec


def steps(*seconds: tuple[str, float], **more: Any) -> Result:
    return result([record(case(f"matmul/{name}", **more), [s] * 6) for name, s in seconds])


def tick_names(of: Result) -> list[str]:
    names: list[str] = next(p["value"] for p in spec(of)["params"] if p["name"] == "tickNames")[0]
    return names


def test_the_ladder_starts_with_the_largest_problem_of_the_longest_ladder_at_the_most_threads() -> None:
    found = ladders(rows(sample()))
    assert found[0].title == "matmul n=512, 2 threads"
    assert [rung.name for rung in found[0].rungs] == [
        "naive f32", "vectorized f32", "tiled f32", "parallel f32 t=2", "quantized i8",
    ]  # fmt: skip


def test_every_problem_with_two_variants_can_be_chosen() -> None:
    labels = spec(sample())["params"][0]["bind"]["labels"]
    assert labels == [
        "matmul n=512, 2 threads", "matmul n=256, 1 thread", "matmul n=256, 2 threads", "matmul n=512, 1 thread",
        "triad n=65536, 1 thread", "triad n=65536, 2 threads",
    ]  # fmt: skip


def test_a_step_is_over_the_rung_before_by_median() -> None:
    (ladder,) = ladders(rows(steps(("naive", 8e-3), ("vectorized", 2e-3), ("tiled", 1e-3))))
    assert [rung.step_text for rung in ladder.rungs] == ["", "4.00x", "2.00x"]


def test_a_step_backwards_reads_as_less_than_one() -> None:
    (ladder,) = ladders(rows(steps(("naive", 8e-3), ("vectorized", 1e-2))))
    assert ladder.rungs[1].step_text == "0.800x"


def test_no_step_leads_from_one_number_type_to_another() -> None:
    ladder = ladders(rows(sample()))[0]
    assert ladder.rungs[-1].row.dtype == "i8"
    assert ladder.rungs[-1].step is UNSET


def test_a_lower_instruction_set_is_no_rung() -> None:
    low = record(case("matmul/tiled", isa="sse2"), [5e-3] * 6)
    of = steps(("naive", 8e-3), ("tiled", 1e-3))
    (ladder,) = ladders(rows(result([*of.records, low])))
    assert [rung.name for rung in ladder.rungs] == ["naive", "tiled"]


def test_a_library_is_a_line_and_no_rung() -> None:
    of = steps(("naive", 8e-3), ("tiled", 2e-3), ("library", 1e-3))
    drawn = spec(of)["datasets"]
    assert len(drawn["bars"]) == 2
    assert [line["text"] for line in drawn["lines"] if line["kind"] == "line"] == ["library f32 271 GFLOP/s"]


def test_the_fastest_library_at_the_same_threads_is_the_line() -> None:
    ladder = ladders(rows(sample()))[0]
    assert not isinstance(ladder.library, UnsetType)
    assert ladder.library.case_id == "matmul/library/f32/n=512/t=2"


def test_each_bar_carries_its_own_roof() -> None:
    bars = [bar for bar in spec(sample())["datasets"]["bars"] if bar["p"] == 0]
    assert len({bar["roof"] for bar in bars}) == 3
    assert all(bar["x"] <= bar["roof"] for bar in bars)


@pytest.mark.parametrize(
    ("slowest", "ticks"),
    [(0.2, ["1", "3", "10", "30", "100 GFLOP/s"]), (20.0, ["0.01", "0.1", "1", "10", "100 GFLOP/s"])],
)
def test_numbers_far_apart_stand_on_a_logarithmic_axis(slowest: float, ticks: list[str]) -> None:
    assert tick_names(steps(("naive", slowest), ("tiled", 3e-3))) == ticks


def test_numbers_close_together_stand_on_an_axis_that_begins_at_zero() -> None:
    assert tick_names(steps(("naive", 5e-3), ("tiled", 3e-3))) == ["0", "50", "100 GFLOP/s"]


def test_where_memory_bounds_every_rung_bars_are_bandwidths() -> None:
    work = Work("modelled", 2.0 * 65536, "fma", 8.0 * 65536, 4.0 * 65536, 4.0 * 65536, 12.0 * 65536)
    shape = {"n": 65536}
    of = result(
        [record(case(f"triad/{s}", shape=shape), [t] * 6, work=work) for s, t in (("naive", 4e-5), ("tiled", 2e-5))]
    )
    assert [bar["n0"].split()[1] for bar in spec(of)["datasets"]["bars"]] == ["GB/s", "GB/s"]


def test_without_a_work_model_bars_tell_the_time_of_a_call() -> None:
    of = result(
        [record(case(f"matmul/{s}"), [t] * 6, work=Work("absent")) for s, t in (("naive", 4e-5), ("tiled", 2e-5))]
    )
    assert [bar["n0"] for bar in spec(of)["datasets"]["bars"]] == ["40.0 us a call", "20.0 us a call"]


def test_numbers_beside_bars_and_in_the_table_are_those_of_the_other_formats() -> None:
    everything = {row.case_id: row for row in rows(sample())}
    table = made(sample()).figures[0].table
    assert not isinstance(table, UnsetType)
    for case_id, median, rate, share, _, naive, library, _ in table.rows:
        row = everything[case_id]
        shown = [COLUMNS[key].text(row) for key in ("median", "fraction", "naive", "library")]
        assert [median, share, naive, library] == shown
        assert rate.split()[0] in (COLUMNS["gflops"].text(row), COLUMNS["gbps"].text(row))


def test_the_words_name_the_fastest_and_the_largest_step_with_their_numbers() -> None:
    text = made(steps(("naive", 8e-3), ("vectorized", 1e-2), ("tiled", 2e-3))).paragraphs[0]
    assert text.startswith("matmul n=512, 1 thread: tiled is the fastest with 2.00 ms a call, 4.00x naive")
    assert "The largest step: tiled over vectorized, 5.00x" in text


def test_a_case_above_its_roof_is_told_without_its_share() -> None:
    text = made(steps(("naive", 8e-3), ("tiled", 1e-4))).paragraphs[0]
    assert "roof" not in text


def test_one_variant_alone_is_no_ladder() -> None:
    of = steps(("naive", 1e-3))
    assert section_ladder.section(rows(of), of) is UNSET


def test_nothing_measured_is_no_ladder() -> None:
    of = result([record(case(), Skipped("too slow"))])
    assert section_ladder.section(rows(of), of) is UNSET


def test_a_long_table_is_cut_and_says_so() -> None:
    shapes = [{"m": n, "n": n, "k": n} for n in range(16, 136)]
    of = result([record(case(f"matmul/{s}", shape=x), [1e-3] * 3) for x in shapes for s in ("naive", "tiled")])
    found = made(of)
    assert not isinstance(found.figures[0].table, UnsetType)
    assert len(found.figures[0].table.rows) == 200
    assert "The table under the chart holds the first 200 cases; 40 more are in the full table." in found.paragraphs


def test_a_chart_with_too_many_bars_holds_the_first_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section_ladder, "MOST_BARS", 8)
    found = made(sample())
    assert len(found.figures[0].spec["params"][0]["bind"]["options"]) == 1
    assert "The chart holds the first 1 of 6 problems." in found.paragraphs


def test_a_rate_that_no_axis_can_hold_is_left_out() -> None:
    broken = record(case("matmul/tiled"), [1e-310] * 6, work=matmul_work(512))
    of = result([*steps(("naive", 8e-3), ("vectorized", 2e-3)).records, broken])
    assert [bar["style"] for bar in spec(of)["datasets"]["bars"]] == ["naive", "vectorized"]


def test_hostile_names_are_spelled_out() -> None:
    of = result([record(case(f"matmul/{n}{EVIL}", style=EVIL), [t] * 6) for n, t in (("a", 1e-3), ("b", 2e-3))])
    text = str(made(of))
    assert "\\x1b" in text
    assert not {"\x1b", "\u202e"} & set(json.dumps(made(of).figures[0].spec, ensure_ascii=False))
    assert not {"\x1b", "\u202e"} & set(" ".join(made(of).paragraphs))


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_choosing_a_problem_shows_its_bars(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    address = page_with(made(sample()).figures, tmp_path)
    with page_of(browser, address, width, scheme) as (page, faults):
        bars = "#chart-ladder-bars svg g.layer_0_marks path"
        page.wait_for_selector(bars, state="attached", timeout=30_000)
        assert page.locator(bars).count() == 5
        page.locator("#chart-ladder-bars select").select_option(label="triad n=65536, 1 thread")
        page.wait_for_function(f"document.querySelectorAll({bars!r}).length == 2", timeout=10_000)
        page.locator(bars).last.hover(force=True)
        tooltip = page.locator("#vg-tooltip-element.visible")
        tooltip.wait_for(timeout=10_000)
        assert "triad/vectorized/f32/n=65536/t=1" in tooltip.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert faults == []
