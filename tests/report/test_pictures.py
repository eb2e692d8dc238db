"""The roofline as SVG and PNG."""

import struct
from xml.etree import ElementTree

import pytest

from kernelbench.model import Failed, Work
from kernelbench.report import png, svg
from kernelbench.report.chart_static import HEIGHT, INK, picture
from kernelbench.report.thinning import ON_CANVAS
from tests.builders import case, machine, matmul_work, record, result, sample

NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn() -> str:
    return svg.render(sample())


def texts(document: str) -> list[str]:
    """Every line of text in the picture; titles have several."""
    return [
        text for element in ElementTree.fromstring(document).iter(f"{NAMESPACE}text") for text in element.itertext()
    ]


def test_the_svg_says_what_was_found_and_on_which_machine(drawn: str) -> None:
    words = " ".join(texts(drawn))
    assert "The best f32 matmul reaches" in words
    assert "Example CPU 9000" in words
    assert "Roofline at 1 thread: 15 cases" in words


def test_the_svg_labels_every_ceiling(drawn: str) -> None:
    words = texts(drawn)
    assert any(word.startswith("L1 read 198 GB/s") for word in words)
    assert any(word.startswith("f32 AVX-512 FMA 117 GFLOP/s") for word in words)


def test_the_svg_explains_its_colours_and_shapes(drawn: str) -> None:
    assert {"style", "type", "library", "i8"} <= set(texts(drawn))


def test_the_svg_has_a_name_for_screen_readers(drawn: str) -> None:
    root = ElementTree.fromstring(drawn)
    assert root.get("role") == "img"
    assert "The best f32 matmul reaches" in root.get("aria-label", "")


def test_the_svg_takes_no_colour_from_the_page_it_is_put_on(drawn: str) -> None:
    assert "currentColor" not in drawn
    assert INK in drawn


def test_the_svg_refers_to_nothing_outside_itself(drawn: str) -> None:
    assert "href" not in drawn.replace("xmlns:xlink", "")
    assert "url(http" not in drawn


def test_nothing_in_a_picture_asks_to_be_clicked(drawn: str) -> None:
    assert "click" not in " ".join(texts(drawn))


def test_the_chart_with_most_dots_is_drawn_at_a_fixed_size() -> None:
    shown = picture(sample())
    assert (shown.spec["height"], shown.spec["datasets"]["dots"][0]["view"][:8]) == (HEIGHT, "1 thread")
    assert "5 cases at other thread counts or machines not shown" in shown.alt


def test_hostile_names_are_text_in_the_svg() -> None:
    hostile = '</text><script>alert(1)</script>\x1b[31m\u202e"'
    made = result([record(case(f"matmul/{hostile}", style="tiled"))], machines={"0123456789ab": machine(model=hostile)})
    document = svg.render(made)
    assert not list(ElementTree.fromstring(document).iter(f"{NAMESPACE}script"))
    assert "\x1b" not in document
    assert "\u202e" not in document
    assert "<script>" in " ".join(texts(document))


def test_cases_without_flop_stand_under_the_bandwidth() -> None:
    moved = Work("modelled", read_bytes=4e6, write_bytes=4e6, rfo_bytes=4e6, working_set_bytes=8e6)
    shown = picture(result([record(case("transpose/tiled"), work=moved)]))
    assert "Bandwidth over the working set, 1 thread on 0123456789ab: 1 case" in shown.alt
    assert shown.spec["layer"]


def test_a_run_without_a_measured_case_still_gives_a_picture_that_says_so() -> None:
    document = svg.render(result([record(outcome=Failed("verify", "wrong"))]))
    assert "Nothing was measured: 1 failed." in " ".join(texts(document))


def test_a_run_without_ceilings_gives_a_picture_of_its_dots() -> None:
    document = svg.render(result([record(work=matmul_work(512))], ceilings=()))
    assert "Roofline at 1 thread: 1 case" in " ".join(texts(document))


def test_a_png_is_a_png_of_twice_the_size() -> None:
    data = png.render(sample())
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    (width,) = struct.unpack(">I", data[16:20])
    assert width > 1960


def test_too_many_dots_are_thinned_and_the_picture_says_so() -> None:
    many = [record(case("matmul/tiled", shape={"m": 8 + i, "n": 8, "k": 8})) for i in range(ON_CANVAS + 10)]
    shown = picture(result(many))
    assert len(shown.spec["datasets"]["dots"]) == ON_CANVAS
    assert f"{ON_CANVAS} of {ON_CANVAS + 10} cases" in shown.alt
