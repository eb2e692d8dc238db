"""Measurements on one small roofline: as text, in a notebook, in a file."""

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import kernelbench as kb
from kernelbench.api import roofs
from kernelbench.errors import WorkerError
from kernelbench.model import Work
from tests.api_data import CARD, measurement

FLOP = Work("declared", flop=1e5, read_bytes=8000.0, working_set_bytes=8000.0)
BYTES = Work("declared", read_bytes=8000.0, working_set_bytes=8000.0)


@pytest.fixture(autouse=True)
def _card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofs, "machine_card", lambda threads=1: CARD)


def picture_in(html: str) -> str:
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    return base64.b64decode(data).decode()


def words(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_notebook_gets_a_picture_that_runs_nothing_and_asks_no_network() -> None:
    html = measurement(name="mine", work=FLOP)._repr_html_()
    svg = picture_in(html)
    assert "mine" in words(svg)
    assert "<script" not in html + svg
    assert not re.findall(r"https?://(?!www\.w3\.org)", html + svg)


def test_cases_with_and_without_flop_stand_on_charts_of_their_own() -> None:
    found = words(picture_in(kb.roofline({"a": measurement(work=FLOP), "b": measurement(work=BYTES)})._repr_html_()))
    assert "Roofline, 1 thread" in found
    assert "Bandwidth, 1 thread" in found


def test_names_that_differ_have_different_colours() -> None:
    found = kb.roofline({"a": measurement(work=FLOP), "b": measurement(work=BYTES, threads=1)})
    svg = picture_in(found._repr_html_())
    symbols = re.findall(r'aria-roledescription="symbol"|fill="(#[0-9a-f]{6})"', svg)
    assert len({colour for colour in symbols if colour}) >= 3, "two names and the ink"


def test_without_rates_there_are_numbers_alone() -> None:
    html = measurement(name="bare")._repr_html_()
    assert "<img" not in html
    assert "bare" in html
    assert "neither flop nor bytes was given" in html


def test_a_card_that_cannot_be_measured_leaves_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(threads: int = 1) -> kb.MachineCard:
        raise WorkerError("no worker here")

    monkeypatch.setattr(roofs, "machine_card", broken)
    html = measurement(name="mine", work=FLOP)._repr_html_()
    assert "No roofline: no worker here" in html
    assert "2.00" in html


def test_a_name_is_text_and_nothing_else() -> None:
    html = kb.roofline({"<img src=x>\x1b[31m": measurement(work=FLOP)})._repr_html_()
    assert "<img src=x>" not in html
    assert "\x1b" not in html
    assert "&lt;img src=x&gt;\\x1b[31m" in html


def test_functions_of_one_name_are_all_kept() -> None:
    found = kb.roofline([measurement(name="f", work=FLOP), measurement(name="f", work=FLOP)])
    assert list(found.measurements) == ["f", "f (2)"]


def test_the_text_is_a_table_with_the_share_of_the_roof() -> None:
    line = str(kb.roofline({"mine": measurement(best_s=4e-8, work=BYTES)})).splitlines()[-1]
    # 8000 bytes at 198 GB/s take 40.4 ns.
    assert line.split()[:5] == ["mine", ["40.0", "ns"][0], "ns", "200", "101.0%"]


def test_a_measurement_above_its_roof_says_so() -> None:
    assert "above its roof: the work or the roof is wrong" in str(kb.roofline([measurement(best_s=1e-8, work=BYTES)]))


@pytest.mark.parametrize(
    ("name", "begins"), [("a.svg", b"<svg"), ("a.png", b"\x89PNG"), ("a.html", b"<!doctype html>")]
)
def test_it_is_saved_by_its_ending(tmp_path: Path, name: str, begins: bytes) -> None:
    assert kb.roofline([measurement(work=FLOP)]).save(tmp_path / name).read_bytes().startswith(begins)


def test_another_ending_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(kb.UsageError, match=r"a\.pdf cannot be drawn: .* \.svg, \.png or \.html"):
        kb.roofline([measurement(work=FLOP)]).save(tmp_path / "a.pdf")


def test_a_picture_of_nothing_is_refused_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(kb.UsageError, match=r"give flop= or bytes= to kb\.measure"):
        kb.roofline([measurement()]).save(tmp_path / "a.svg")


@pytest.mark.parametrize(
    ("wrong", "said"), [([], "at least one measurement"), ([3], "'0' is a int"), ({"a": 1}, "'a' is a int")]
)
def test_anything_but_measurements_is_refused(wrong: object, said: str) -> None:
    with pytest.raises(kb.UsageError, match=said):
        kb.roofline(wrong)  # type: ignore[arg-type]
