"""The short Markdown for a comment."""

from kernelbench.report.brief import MOST_ROWS, link, render, with_picture
from tests.builders import case, record, result, sample


def table(document: str) -> list[str]:
    return [line for line in document.splitlines() if line.startswith("|")][2:]


def test_the_fastest_case_of_each_problem_is_listed() -> None:
    fastest, *_ = [line for line in table(render(sample())) if line.startswith("| matmul n=512")]
    assert "quantized" in fastest


def test_too_many_problems_leave_the_largest_of_each_op_and_say_how_many_more() -> None:
    sizes = range(64, 64 + MOST_ROWS + 5)
    text = render(result([record(case("matmul/tiled", shape={"m": n, "n": n, "k": n})) for n in sizes]))
    (only,) = table(text)
    assert f"n={max(sizes)} " in only
    assert f"{MOST_ROWS + 4} more problems are in the whole report." in text


def test_a_run_without_a_measured_case_has_its_finding_only() -> None:
    assert render(result()) == "## kernelbench\n\nNothing was measured.\n"


def test_a_picture_stands_below_the_finding_of_the_whole_report() -> None:
    assert (
        with_picture("# title\n\nfinding\n\nrest\n", "a.svg") == "# title\n\nfinding\n\n![Roofline](<a.svg>)\n\nrest\n"
    )


def test_the_address_of_a_picture_cannot_end_its_link() -> None:
    assert link("a>b)[x](y).svg") == "![Roofline](<a%3Eb%29%5Bx%5D%28y%29.svg>)"


def test_hostile_names_stay_text() -> None:
    text = render(result([record(case("matmul/<b>|`x`", style="tiled"))]))
    assert "<b>" not in text
    assert r"\<b\>\|\`x\`" in text
