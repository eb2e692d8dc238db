"""Scaling: size, threads, instruction sets and cold operands, each drawn only where the run holds it."""

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from kernelbench.model import Record, Skipped, Unknown
from kernelbench.report import scaling_size, section_scaling
from kernelbench.report.columns import COLUMNS
from kernelbench.report.rows import rows
from kernelbench.report.section import Figure, Section
from tests.builders import MACHINE_ID, case, machine, matmul_work, record, result, sample
from tests.report.chromium import browser, page_of
from tests.report.drawn_figures import page_with

__all__ = ["browser"]

EVIL = "</script><script>alert(1)</script>\x1b[31m\u202e"


def measured(variant: str, median_s: float, n: int = 512, threads: int = 1, **more: Any) -> Record:
    isa_used = more.pop("isa_used", "avx512")
    of = case(variant, shape={"m": n, "n": n, "k": n}, threads=threads, **more)
    return record(of, [median_s] * 6, work=matmul_work(n), isa_used=isa_used)


def made(records: Iterable[Record], **more: Any) -> Section:
    of = result(tuple(records), **more)
    found = section_scaling.section(rows(of), of)
    assert not isinstance(found, UnsetType)
    return found


def figure(section: Section, name: str) -> Figure:
    return next(f for f in section.figures if f.id == name)


def data(section: Section, name: str, of: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = figure(section, name).spec["datasets"][of]
    return found


def cells(section: Section, name: str) -> tuple[tuple[str, ...], ...]:
    table = figure(section, name).table
    assert not isinstance(table, UnsetType)
    return table.rows


def sizes() -> list[Record]:
    return [measured("matmul/tiled", 1e-9 * n**3, n) for n in (32, 128, 512)]


def test_what_the_run_lacks_is_told_in_one_line_with_the_options_that_bring_it() -> None:
    section = made([measured("matmul/tiled", 1e-3)])
    assert section.figures == ()
    assert section.paragraphs == (
        "Not in this run: several sizes (-s 64,256,1024), several thread counts (-t 1,2), other instruction sets "
        "(--isa scalar,avx2,native), cold operands (--cache warm,cold); options of kernelbench run.",
    )


def test_a_run_that_lacks_nothing_tells_nothing_of_it() -> None:
    extra = [
        measured("matmul/tiled", 1e-3, 512, 2),
        measured("matmul/tiled", 4e-3, isa="sse2"),
        measured("matmul/tiled", 5e-3, cache="cold"),
    ]
    section = made([*sizes(), *extra])
    names = ["scaling-size", "scaling-speedup", "scaling-efficiency", "scaling-isa", "scaling-cache"]
    assert [f.id for f in section.figures] == names
    assert section.paragraphs == ()


def test_nothing_measured_is_no_section() -> None:
    of = result([record(case(), Skipped("too slow"))])
    assert section_scaling.section(rows(of), of) is UNSET


def test_a_curve_rises_with_the_working_set_of_one_thread() -> None:
    section = made([*sizes(), *(measured("matmul/parallel", 1e-9 * n**3, n, 2) for n in (32, 128))])
    views = figure(section, "scaling-size").spec["params"][0]["bind"]["labels"]
    assert views == ["matmul f32, 1 thread", "matmul f32, 2 threads"]
    xs = [[p["x"] for p in data(section, "scaling-size", "points") if p["p"] == view] for view in (0, 1)]
    assert xs == [[3 * 4 * n * n for n in (32, 128, 512)], [3 * 4 * n * n / 2 for n in (32, 128)]]


def test_caches_are_the_shaded_stretches_up_to_where_the_data_ends() -> None:
    zones = data(made(sizes()), "scaling-size", "zones")
    assert [(z["text"], z["shaded"]) for z in zones] == [("L1", True), ("L2", False), ("L3", True)]
    assert zones[0]["end"] == 32 * 1024
    assert zones[-1]["end"] == pytest.approx(1.05 * 3 * 4 * 512**2)


def test_without_cache_sizes_from_the_os_no_stretch_is_invented() -> None:
    unknown = replace(machine(), caches=Unknown("no cache folder"))
    assert data(made(sizes(), machines={MACHINE_ID: unknown}), "scaling-size", "zones") == []


def test_the_roof_is_a_line_over_the_sizes() -> None:
    guides = data(made(sizes()), "scaling-size", "guides")
    assert [g["guide"] for g in guides] == ["roof"] * 3


def test_without_ceilings_there_is_no_roof_line() -> None:
    assert data(made(sizes(), ceilings=()), "scaling-size", "guides") == []


def test_interpreted_variants_are_left_out_of_the_sizes() -> None:
    python = [replace(r, case=replace(r.case, style="python", variant="matmul/python")) for r in sizes()]
    assert {p["style"] for p in data(made([*sizes(), *python]), "scaling-size", "points")} == {"tiled"}


def test_names_at_the_ends_of_curves_do_not_touch() -> None:
    records = [
        measured(f"matmul/v{i}", 1e-9 * n**3 * (1 + i / 1000), n, style="tiled") for i in range(9) for n in (64, 512)
    ]
    section = made(records)
    heights = sorted(name["y"] for name in data(section, "scaling-size", "names"))
    low, high = next(p["value"] for p in figure(section, "scaling-size").spec["params"] if p["name"] == "spansY")[0]
    least = (high / low) ** (12 / 380)
    assert all(b / a > least for a, b in pairwise(heights))
    assert heights[-1] <= high


def test_a_chart_with_too_many_points_holds_the_first_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling_size, "MOST_POINTS", 3)
    section = made([*sizes(), *(measured("matmul/parallel", 1e-9 * n**3, n, 2) for n in (32, 128))])
    assert len(data(section, "scaling-size", "points")) == 3
    assert "Rate against size: the chart holds the first 1 of 2 problems." in section.paragraphs


def test_a_first_op_with_too_many_points_is_thinned_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling_size, "MOST_POINTS", 2)
    section = made(sizes())
    drawn = len(data(section, "scaling-size", "points"))
    assert drawn < 3
    assert f"Of the first op's 3 cases {drawn} are drawn, evenly chosen." in section.paragraphs


def test_speedup_is_over_the_variant_itself_on_one_thread() -> None:
    section = made([measured("matmul/parallel", 4e-3), measured("matmul/parallel", 2.5e-3, threads=2)])
    ((name, median, speedup, efficiency, over, one),) = cells(section, "scaling-speedup")
    assert (name, median) == ("matmul/parallel/f32/n=512/t=2", "2.50 ms")
    assert (speedup, efficiency) == ("1.60x", "80.0%")
    assert (over, one) == ("matmul/parallel/f32/n=512/t=1", "4.00 ms")
    assert [p["y"] for p in data(section, "scaling-speedup", "points")] == pytest.approx([1.0, 1.6])


def test_where_the_fastest_sibling_stands_in_the_table_and_the_tooltip_say_which() -> None:
    section = made([measured("matmul/tiled", 4e-3), measured("matmul/parallel", 2.5e-3, threads=2)])
    assert cells(section, "scaling-speedup")[0][4] == "matmul/tiled/f32/n=512/t=1"
    (point,) = data(section, "scaling-speedup", "points")
    assert point["tips"]["over"] == "tiled on 1 thread, 4.00 ms"


def test_the_ideal_is_as_many_times_as_threads_and_an_efficiency_of_one() -> None:
    section = made([measured("matmul/parallel", 8e-3 / t, threads=t) for t in (1, 2, 4)])
    ends = [data(section, f"scaling-{which}", "guides")[-1] for which in ("speedup", "efficiency")]
    assert [(end["x"], end["y"]) for end in ends] == [(4.0, 4.0), (4.0, 1.0)]


def test_instruction_sets_stand_from_the_lowest_to_native_with_their_steps() -> None:
    records = [
        measured("matmul/tiled", 2e-3),
        measured("matmul/tiled", 4e-3, isa="avx2"),
        measured("matmul/tiled", 20e-3, isa="scalar"),
        measured("matmul/tiled", 8e-3, isa="sse2"),
    ]
    section = made(records)
    labels = next(p["value"] for p in figure(section, "scaling-isa").spec["params"] if p["name"] == "names")[0]
    assert labels == ["scalar tiled", "SSE2 tiled", "AVX2 tiled", "native (AVX-512) tiled"]
    assert [row[-2:] for row in cells(section, "scaling-isa")] == [
        ("", "1.00x"), ("2.50x", "2.50x"), ("2.00x", "5.00x"), ("2.00x", "10.0x"),
    ]  # fmt: skip


def test_cold_stands_beside_warm_with_what_it_costs() -> None:
    section = made([measured("matmul/tiled", 3e-3, cache="cold"), measured("matmul/tiled", 2e-3)])
    bars = data(section, "scaling-cache", "bars")
    assert [(bar["n1"], bar["n2"]) for bar in bars] == [("", "2.00 ms"), ("1.50x", "3.00 ms")]


def test_shapes_of_one_op_stand_together_until_they_are_many() -> None:
    def pairs(count: int) -> list[Record]:
        shapes = [16 * (i + 1) for i in range(count)]
        return [measured("matmul/tiled", 1e-6 * n, n, cache=c) for n in shapes for c in ("warm", "cold")]

    few, many = (figure(made(pairs(n)), "scaling-cache").spec["params"][0]["bind"]["labels"] for n in (3, 30))
    assert few == ["matmul f32, 1 thread"]
    assert len(many) == 30
    assert many[0] == "matmul f32 n=16, 1 thread"


def test_medians_read_as_in_the_other_formats() -> None:
    of = sample()
    everything = {row.case_id: row for row in rows(of)}
    for row in cells(made(of.records), "scaling-speedup"):
        assert row[1] == COLUMNS["median"].text(everything[row[0]])
        assert row[5] == COLUMNS["median"].text(everything[row[4]])


def test_hostile_names_are_spelled_out() -> None:
    evil = [
        measured(f"matmul/{EVIL}", 1e-3 * n, n, t, style=EVIL, isa=i)
        for n in (64, 512)
        for t in (1, 2)
        for i in ("native", EVIL)
    ]
    section = made(evil)
    assert len(section.figures) == 4
    shown = " ".join(json.dumps(f.spec, ensure_ascii=False) + f.alt + f.title for f in section.figures)
    shown += " ".join(c for f in section.figures if not isinstance(f.table, UnsetType) for r in f.table.rows for c in r)
    assert not {"\x1b", "\u202e"} & set(shown)


def test_cases_of_two_machines_are_kept_apart_and_named() -> None:
    records = [replace(r, machine=m) for m in ("aaa", "bbb") for r in sizes()]
    section = made(records, machines={m: machine(m) for m in ("aaa", "bbb")})
    labels = figure(section, "scaling-size").spec["params"][0]["bind"]["labels"]
    assert labels == ["matmul f32, 1 thread on aaa", "matmul f32, 1 thread on bbb"]


def test_a_tooltip_tells_rate_and_roof_in_one_unit_and_nothing_that_does_not_apply() -> None:
    tips = data(made(sizes()), "scaling-size", "points")[0]["tips"]
    assert tips["rate"].split()[1] == tips["roof"].split()[1]
    assert "" not in tips.values()
    assert "x naive" not in tips


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_every_picture_is_drawn_and_lines_tell_their_case_on_hover(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    extra = [measured("matmul/tiled", 4e-3, isa="sse2"), measured("matmul/tiled", 5e-3, cache="cold")]
    section = made([*sizes(), *extra, measured("matmul/tiled", 9e-2, threads=2)])
    with page_of(browser, page_with(section.figures, tmp_path), width, scheme) as (page, faults):
        for drawn in section.figures:
            page.wait_for_selector(f"#chart-{drawn.id} svg", state="attached", timeout=30_000)
        assert page.locator("#chart-scaling-size").get_by_text("roof").count() == 1
        assert page.locator("#chart-scaling-isa").get_by_text("SSE2 tiled").count() == 1
        page.locator("#chart-scaling-size g.mark-symbol.role-mark path").first.hover(force=True)
        tooltip = page.locator("#vg-tooltip-element.visible")
        tooltip.wait_for(timeout=10_000)
        assert "matmul/tiled/f32/n=32/t=1" in tooltip.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert faults == []
