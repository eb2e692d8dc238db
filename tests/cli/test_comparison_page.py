"""``compare`` and ``ab`` with ``--html``: where the page goes, and what it must not write over."""

from pathlib import Path

import pytest

from tests.builders import case, record
from tests.cli.comparing import FAST, SLOW, compare, store
from tests.cli.test_ab import Bench, ab, bench

__all__ = ["bench"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_compare_writes_the_page_beside_its_output_and_keeps_its_exit_code(capsys: pytest.CaptureFixture) -> None:
    files = store("a.json", record(outcome=FAST)), store("b.json", record(outcome=SLOW))
    assert compare(*files, "--html", "page.html") == 1
    assert "The one cell" not in (page := Path("page.html").read_text())
    assert "1 of 1 cell regressed" in page
    out, err = capsys.readouterr()
    assert "1 regressed" in out
    assert "wrote page.html" in err


def test_a_comparison_that_compared_nothing_writes_its_page_and_exits_5() -> None:
    files = store("a.json", record(case("matmul/naive"))), store("b.json", record(case("matmul/tiled")))
    assert compare(*files, "--html", "page.html") == 5
    assert "Nothing was compared" in Path("page.html").read_text()


def test_several_results_share_one_page() -> None:
    base, slow = store("a.json", record(outcome=FAST)), store("b.json", record(outcome=SLOW))
    assert compare(base, f"slow={slow}", f"same={base}", "--html", "page.html") == 1
    page = Path("page.html").read_text()
    assert "<h3>slow</h3>" in page
    assert "<h3>same</h3>" in page


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("-", "a page of 1 MB is not for a terminal"),
        ("b.json", "would write over a result file"),
        ("other.json", "would write over a result file"),
        ("plain", "would write over a result file"),
        ("absent/page.html", "there is no folder absent"),
        (".", "is a folder"),
    ],
)
def test_a_place_where_no_page_can_go_exits_2_before_anything_is_written(
    target: str, said: str, capsys: pytest.CaptureFixture
) -> None:
    base, new = store("plain", record(outcome=FAST)), store("b.json", record(outcome=FAST))
    before = Path(new).read_bytes()
    assert compare(base, new, "--html", target) == 2
    out, err = capsys.readouterr()
    assert (out, said in err) == ("", True)
    assert Path(new).read_bytes() == before


def test_ab_writes_a_page_that_says_it_was_measured_in_turns(bench: Bench) -> None:
    bench.host.change["scale/b"] = 1.0
    assert ab("--html", "page.html") == 1
    page = Path("page.html").read_text()
    assert "1 of 2 cells regressed: scale/b" in page
    assert "Both sides took turns" in page
