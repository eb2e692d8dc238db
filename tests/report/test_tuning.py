"""A search as its reader sees it: the heat map, the winner and why."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from kernelbench.model import Tried
from kernelbench.report.tuning import render, to_json
from kernelbench.report.tuning_chart import svg
from kernelbench.report.tuning_map import grid
from tests.tuning.found import FAST, no_winner, tuning
from tests.tuning.made import DEFAULT


def test_the_whole_of_it() -> None:
    text = render(tuning(), width=80, colour=False)
    assert "time against the default, which takes 1.23 ms a call; negative is faster" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["16", "+90.0%", "12.4x", "+30.0%"] in rows
    assert ["64", "+4.0%", "+0.0%o", "+0.3%"] in rows
    assert ["128", "-10.0%*", "-4.0%", "."] in rows
    assert "* fastest  o default  . not tried" in text
    assert "fastest: kc=128 nc=256: 10.0% less time" in text
    assert "(90%: -12.0% to -7.0%)" in " ".join(text.split())


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, render(tuning(), width=width, colour=False).splitlines())) <= width


def test_colour_adds_nothing_but_colour() -> None:
    plain, coloured = (render(tuning(), width=80, colour=colour) for colour in (False, True))
    assert "\x1b[30;48;5;" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_of_more_than_two_parameters_the_two_that_matter_are_drawn_and_the_rest_at_its_best() -> None:
    tried = (
        Tried((1, 1, 2), 0.8, 1), Tried((2, 1, 1), 1.5, 1), Tried((2, 1, 2), 1.4, 1), Tried((1, 2, 1), 1.2, 1),
        Tried((1, 2, 2), 1.1, 1),
    )  # fmt: skip
    found = tuning(tunable={"a": (1, 2), "b": (1, 2), "c": (1, 2)}, tried=tried, winner=(1, 1, 2))
    drawn = grid(found)
    assert {drawn.across, drawn.down} == {"a", "b"}
    assert drawn.others == ("c",)
    assert drawn.cells[0][0].ratio == 0.8
    assert "(of c the best)" in render(found, width=80, colour=False)


def test_one_parameter_is_a_column() -> None:
    found = tuning(tunable={"rows": (64, 32)}, tried=(Tried((32,), 1.1, 1),), winner=(64,))
    assert "  32 +10.0%\n  64 +0.0%o" in render(found, width=80, colour=False)
    assert "+10.0%" in svg(found)


def test_a_wrong_candidate_is_marked_and_named() -> None:
    found = tuning(tried=(*tuning().tried, Tried((128, 1024), failed="verify: \x1b[2Jwrong")))
    text = render(found, width=80, colour=False)
    assert "x wrong" in text
    assert "1 wrong, the first kc=128 nc=1024: verify: \\x1b[2Jwrong" in " ".join(text.split())


def test_the_default_that_stays_says_why() -> None:
    text = render(no_winner(confirmed=tuning().confirmed), width=80, colour=False)
    assert "the default stays, kc=64 nc=512: every candidate was slower" in " ".join(text.split())


def test_a_default_that_fails_has_no_map() -> None:
    text = render(no_winner(tried=(), failed="with the default parameters, verify: wrong"), width=80, colour=False)
    assert "not tuned: with the default parameters, verify: wrong" in text
    assert "negative is faster" not in text


def test_json_holds_every_candidate() -> None:
    (found,) = json.loads(to_json([tuning()]))["tunings"]
    assert len(found["tried"]) == 10
    assert found["winner"] == list(FAST)
    assert found["tunable"]["kc"][0] == DEFAULT[0]


def test_the_picture_is_a_whole_svg_that_names_its_finding() -> None:
    drawn = ElementTree.fromstring(svg(tuning()))
    assert "fastest: kc=128 nc=256" in drawn.attrib["aria-label"]
    texts = {element.text for element in drawn.iter() if element.text}
    assert {"-10.0%*", "12.4x", "kc", "nc", "matmul/tiled/f32/n=600/t=1"} <= texts
