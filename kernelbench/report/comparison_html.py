"""A comparison as one self-contained page: the verdicts first, then what they are made of.

Built as the page of a report is (``report.page``): all text from files is escaped, and no script runs but the page's
own, by its hash.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from kernelbench.model import Result
from kernelbench.report import section_compare_forest, section_compare_roofline, section_compare_tables
from kernelbench.report.comparison_pair import Pair, headings, pairs
from kernelbench.report.comparison_words import Named
from kernelbench.report.page import chart_scripts, filled, own_scripts
from kernelbench.report.section import Section
from kernelbench.report.section_compare_found import Count, found, host, mean, meanings, method, tally
from kernelbench.report.text import safe_text

if TYPE_CHECKING:
    from kernelbench.analysis.expectations import Judged


class Finding(Struct, frozen=True):
    """What stands at the top for one NEW."""

    new: str
    text: str
    mean: str
    host: str
    tally: tuple[Count, ...]


def render(comparisons: Sequence[Named], results: Sequence[tuple[str, Result]], judged: Sequence["Judged"] = ()) -> str:
    """The page of ``comparisons``, at least one.

    ``results`` are BASE's name and file, then those of every NEW in order; the one file of `ab`; or none, and the
    page then has no roofline, ceilings or machines. ``judged`` are the expectations that NEW was held to.
    """
    return page(pairs(comparisons, results), judged)


def page(shown: Sequence[Pair], judged: Sequence["Judged"] = ()) -> str:
    """The page of pairs, at least one, each with a BASE of its own."""
    sections = _sections(shown)
    figures = {figure.id: figure.spec for section in sections for figure in section.figures}
    values = {
        "base": _bases(shown),
        "findings": _findings(shown),
        "expectations": _expectations(judged),
        "sections": sections,
        "figures": figures,
        "cells": section_compare_tables.cells(shown),
        "ceilings": section_compare_tables.ceilings(shown),
        "machines": section_compare_tables.machines(shown),
        "machine": section_compare_tables.one_machine(shown),
        "meanings": meanings(shown),
        "looks": {count.verdict: count.look for count in meanings(shown)},
        "method": method(shown),
    }
    return filled("comparison.html.j2", (chart_scripts if figures else own_scripts)("comparison.js"), values)


def _sections(shown: Sequence[Pair]) -> tuple[Section, ...]:
    return section_compare_forest.section(shown), section_compare_roofline.section(shown)


def _bases(shown: Sequence[Pair]) -> str:
    return ", ".join(dict.fromkeys(safe_text(pair.named.base) for pair in shown))


def _findings(shown: Sequence[Pair]) -> list[Finding]:
    return [
        Finding(name, found(pair), mean(pair), host(pair), tally(pair))
        for name, pair in zip(headings(shown), shown, strict=True)
    ]


def _expectations(judged: Sequence["Judged"]) -> list[tuple[str, str, str]]:
    """State, rule and reason of each, those to look at first first."""
    if not judged:
        return []
    from kernelbench.report.expectations import LABELS, by_state

    return [(LABELS[one.state], safe_text(one.rule), safe_text(one.reason)) for one in by_state(judged)]
