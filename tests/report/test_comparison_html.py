"""The comparison page as text: what it says, what it leaves out, and that nothing in it can run."""

import re

import pytest
from msgspec.structs import replace

from kernelbench.analysis.cell import Cell, Comparison
from kernelbench.analysis.compare import compare
from kernelbench.model import Result
from kernelbench.report import comparison_html
from kernelbench.report.comparison_words import Named
from kernelbench.report.section_compare_forest import MOST_ROWS as MOST_DRAWN
from kernelbench.report.section_compare_tables import MOST_ROWS as MOST_LISTED
from tests.builders import MACHINE_ID, ceilings, machine, result, sample
from tests.report.comparison_data import hostile, judged, named, timed
from tests.report.comparison_page import Page, compared, moves, of, rows_of, runs, text

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e"


def test_the_verdicts_come_first_in_one_sentence() -> None:
    said = text(of())
    sentence = "1 of 10 cells regressed: matmul/tiled/f32/n=512/t=1 by 12.0%; 2 failed; 1 improved: relu/vectorized"
    assert sentence in said
    assert said.index(sentence) < said.index("Ratios")


def test_of_several_regressions_the_worst_is_named() -> None:
    assert "2 of 4 cells regressed, the worst matmul/tiled/f32/n=66/t=1 to 3.000 times BASE's time" in text(
        compared(1.0, 1.3, 3.0, 1.0)
    )


def test_nothing_changed_is_said_plainly() -> None:
    assert "None of 3 cells regressed; 3 unchanged." in text(compared(1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ((), "no cell has a time on both sides (no cells)"),
        ((Cell("a/b/f32/n=1/t=1", "incomparable", "shape differs"),) * 3, "(3 incomparable)"),
    ],
)
def test_a_comparison_that_compared_nothing_says_so_and_draws_nothing(cells: tuple[Cell, ...], said: str) -> None:
    page = of(Comparison("time", 0.05, cells))
    assert "Nothing was compared" in text(page)
    assert said in text(page)
    assert "there is no ratio to draw" in text(page)
    assert 'class="spec"' not in page


def test_one_cell_makes_a_page() -> None:
    page = compared(1.0)
    assert "The one cell has not regressed; 1 unchanged." in text(page)
    assert [row["verdict"] for row in rows_of(page)] == ["unchanged"]


def test_the_forest_has_a_line_a_cell_with_a_ratio_the_gravest_first() -> None:
    assert [row["verdict"] for row in rows_of(of())] == [
        "regressed", "improved", "ambiguous", "unchanged", "unchanged",
    ]  # fmt: skip


def test_a_cell_is_judged_by_its_own_threshold_in_the_forest_too() -> None:
    cells = (
        timed("a/b/f32/n=1/t=1", "unchanged", 1.1, "", threshold=0.15),
        timed("a/c/f32/n=1/t=1", "unchanged", 1, ""),
    )
    assert [round(row["band_high"], 3) for row in rows_of(of(Comparison("time", 0.05, cells)))] == [1.15, 1.05]


def test_ratios_read_as_in_every_other_format() -> None:
    page = of()
    assert rows_of(page)[0]["number"] == "1.120"
    assert "1.109..1.131" in text(page)


def test_of_too_many_cells_the_forest_shows_what_changed_and_says_so() -> None:
    same = [timed(f"a/b/f32/n={i}/t=1", "unchanged", 1.0, "") for i in range(MOST_DRAWN)]
    worse = timed("a/worse/f32/n=1/t=1", "regressed", 1.2, "")
    page = of(Comparison("time", 0.05, (*same, worse)))
    assert [row["case"] for row in rows_of(page)] == [worse.case_id]
    assert f"1 of {MOST_DRAWN + 1} cells with a ratio are drawn (all but the unchanged" in text(page)


def test_of_too_many_unchanged_cells_so_many_are_drawn() -> None:
    same = tuple(timed(f"a/b/f32/n={i}/t=1", "unchanged", 1.0, "") for i in range(MOST_DRAWN + 1))
    page = of(Comparison("time", 0.05, same))
    assert len(rows_of(page)) == MOST_DRAWN
    assert "no cell changed" in text(page)


def test_the_table_leaves_out_what_nobody_reads_but_no_cell_that_fails_a_gate() -> None:
    same = [timed(f"a/b/f32/n={i}/t=1", "unchanged", 1.0, "") for i in range(MOST_LISTED)]
    broken = Cell("a/z/f32/n=1/t=1", "failed", "SIGSEGV", 1e-3, was_measured=True)
    said = text(of(Comparison("time", 0.05, (*same, broken))))
    assert "a/z/f32/n=1/t=1" in said
    assert "1 more cells are not listed" in said


def test_a_ratio_far_away_is_drawn_at_the_edge_and_keeps_its_number() -> None:
    page = compared(40.0, 1.0)
    assert (rows_of(page)[0]["ratio"], rows_of(page)[0]["number"]) == (4.0, "40.0")
    assert "are drawn at the edge" in text(page)


def test_the_roofline_has_an_arrow_from_base_to_new() -> None:
    slower, same = moves(compared(2.0, 1.0))
    assert slower["y2"] == pytest.approx(slower["y"] / 2)
    assert same["y2"] == pytest.approx(same["y"])
    assert slower["strength"] > same["strength"]


def test_the_roofline_is_drawn_under_the_ceilings_of_new() -> None:
    half = tuple(replace(c, value=c.value / 2) if isinstance(c.value, float) else c for c in ceilings())
    assert "f32 AVX-512 FMA 58.5 GFLOP/s" in compared(1.0, ceilings=half)


def test_without_ceilings_the_roofline_is_left_out_with_its_reason() -> None:
    base, new = runs(1.0, ceilings=())
    new = replace(new, records=tuple(replace(r, work=replace(r.work, flop=0.0)) for r in new.records))
    page = comparison_html.render([Named("a", "b", compare(base, new))], [("a", base), ("b", new)])
    assert "NEW holds no ceilings" in text(page)


def test_a_paired_comparison_says_what_it_is_and_why_it_has_no_roofline() -> None:
    one = replace(result(), kind="ab")
    for results in ([], [("ab.json", one)]):
        said = text(comparison_html.render([named()], results))
        assert "a paired comparison measures the two sides against each other" in said
        assert "what happened to the host happened to both" in said
        assert "Stored runs:" not in said


def test_stored_runs_are_called_weaker() -> None:
    assert "Weaker than a paired comparison" in text(compared(1.0))


def test_one_machine_takes_one_line() -> None:
    page = compared(1.0)
    assert "All sides on Example CPU 9000, zen4, 2 cores" in text(page)
    assert 'id="machines"' not in page


def test_machines_that_differ_stand_side_by_side_with_their_differences_first() -> None:
    other = replace(machine(), software=replace(machine().software, python="3.13.0"))
    page = compared(1.0, machines={MACHINE_ID: other})
    table = page[page.index('id="machines-1"') :]
    assert table.count('class="differs"', 0, table.index("</table>")) == 1
    assert table.index("3.13.0") < table.index("Example CPU 9000")


def test_a_ceiling_that_moved_is_marked_and_the_host_said_to_have_moved() -> None:
    slow = tuple(replace(c, value=c.value * 0.8) if c.id.startswith("compute/f32") else c for c in ceilings())
    page = compared(1.0, ceilings=slow)
    assert "The host moved: 2 of 30 ceilings differ" in text(page)
    table = page[page.index('id="ceilings-1"') :]
    assert table.count('class="differs"') == 2
    assert "0.800" in table


def test_a_host_that_held_still_is_said_to() -> None:
    assert "The host held still: of 30 ceilings none moved" in text(compared(1.0))


def test_the_geometric_mean_is_told() -> None:
    assert "Geometric mean 1.414 over 2 matched cells." in text(compared(2.0, 1.0))


def test_several_results_share_one_forest_and_are_told_apart() -> None:
    (base, one), (_, two) = runs(1.5, 1.0), runs(1.0, 0.5)
    comparisons = [Named("main", name, compare(base, new)) for name, new in (("x", one), ("x", two))]
    page = comparison_html.render(comparisons, [("main", base), ("x", one), ("x", two)])
    assert {row["view"] for row in rows_of(page)} == {"x", "x (2)"}
    assert 'id="cells-2"' in page
    assert "x (2): 1 of" not in text(page)


def test_expectations_are_listed_where_there_are_some() -> None:
    assert "two threads pay" in text(comparison_html.render([named()], [], judged()))
    assert 'id="expectations"' not in of()


def evil_pair() -> tuple[Result, Result]:
    made = sample()
    bad = tuple(replace(r, case=replace(r.case, id=r.case.id + EVIL, variant=EVIL, op=EVIL)) for r in made.records[:3])
    soft = replace(machine().software, os=EVIL)
    machines = {MACHINE_ID: replace(machine(model=EVIL), software=soft, virtualisation=EVIL)}
    odd = tuple(replace(c, provenance=EVIL, level=EVIL) if c.kind == "memory" else c for c in made.ceilings)
    hostile_run = replace(made, records=bad, machines=machines, ceilings=odd, notes=(EVIL,))
    return replace(hostile_run, machines=made.machines), hostile_run


def test_text_from_files_adds_no_element_and_no_control_character() -> None:
    base, new = evil_pair()
    comparisons = [Named(EVIL, EVIL, compare(base, new)), replace(hostile(), new=EVIL)]
    page = comparison_html.render(comparisons, [(EVIL, base), (EVIL, new), (EVIL, new)])
    shown = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert len(Page(page).scripts) == 2 + len(re.findall('class="spec"', page))
    assert not [a for tag, a in Page(shown).tags if tag in ("img", "b") or "onerror" in a]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)


def test_nothing_in_the_page_points_outside_it() -> None:
    for tag, attributes in Page(compared(1.2, 1.0)).tags:
        assert tag not in ("iframe", "object", "embed", "base", "form"), tag
        for name in ("src", "href", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)


def test_no_two_elements_share_an_id() -> None:
    (base, one), (_, two) = runs(1.5, 1.0), runs(1.0, 0.5)
    comparisons = [Named("main", name, compare(base, new)) for name, new in (("x", one), ("y", two))]
    page = comparison_html.render(comparisons, [("main", base), ("x", one), ("y", two)])
    ids = [a["id"] for _, a in Page(page).tags if "id" in a]
    assert len(ids) == len(set(ids))
