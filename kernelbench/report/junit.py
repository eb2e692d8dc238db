"""A comparison as JUnit XML: one test case a cell, for the test views of CI systems.

regressed is a failure, and so is a failed expectation; a crash of what BASE had measured is an error; what could not
be decided or compared is skipped, with the reason. What passes a gate passes here.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import UnsetType

from kernelbench.analysis.cell import Cell
from kernelbench.report.comparison_words import Named, about, interval_text
from kernelbench.report.text import safe_text

if TYPE_CHECKING:
    from kernelbench.analysis.expectations import Judged

_SKIPPED = ("ambiguous", "missing", "incomparable", "failed")
_OUTCOMES = {"failure": "failures", "error": "errors", "skipped": "skipped"}
"""Element of a test case -> attribute of its suite that counts them."""


def render(comparisons: Sequence[Named], judged: Sequence["Judged"] = ()) -> str:
    """One suite a comparison, and one of the expectations where there are any."""
    root = ET.Element("testsuites", name="kernelbench")
    for named in comparisons:
        suite = ET.SubElement(root, "testsuite", name=safe_text(f"{named.base} -> {named.new}"))
        notes = [about(named.comparison), *named.comparison.notes]
        for cell in named.comparison.cells:
            _cell(suite, cell, named.comparison.basis)
        ET.SubElement(suite, "system-out").text = safe_lines(notes)
        _count(suite)
    if judged:
        suite = ET.SubElement(root, "testsuite", name="expectations")
        for one in judged:
            _expectation(suite, one)
        _count(suite)
    for name in ("tests", *_OUTCOMES.values()):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def safe_lines(texts: Sequence[str]) -> str:
    """Foreign text for XML, which can hold no control character even as an entity; one line each."""
    return "\n".join(map(safe_text, texts))


def _cell(suite: ET.Element, cell: Cell, basis: str) -> None:
    # Test views group by classname: the variant, so that its sizes and types stand together.
    variant = ".".join(cell.case_id.split("/", 2)[:2])
    case = ET.SubElement(suite, "testcase", classname=safe_text(variant), name=safe_text(cell.case_id))
    if basis == "time" and not isinstance(cell.new, UnsetType):
        case.set("time", f"{cell.new:.12f}")
    kind = _kind(cell)
    told = cell.reason.startswith(cell.verdict)
    reason = safe_text(cell.reason if told else f"{cell.verdict}: {cell.reason}")
    if kind:
        element = ET.SubElement(case, kind, message=reason)
        if kind != "skipped":
            element.set("type", cell.verdict)
            element.text = reason
    elif interval := interval_text(cell):
        ET.SubElement(case, "system-out").text = f"{reason}; ratio {interval}"


def _kind(cell: Cell) -> str:
    """Which element tells the outcome; empty for a pass. It agrees with the command's exit code."""
    if cell.verdict == "regressed":
        return "failure"
    if cell.verdict == "failed" and cell.was_measured:
        return "error"
    return "skipped" if cell.verdict in _SKIPPED else ""


def _expectation(suite: ET.Element, judged: "Judged") -> None:
    case = ET.SubElement(suite, "testcase", classname="expectations", name=safe_text(judged.rule))
    kind = {"fail": "failure", "undecided": "skipped"}.get(judged.state, "")
    if kind:
        ET.SubElement(case, kind, message=safe_text(judged.reason))


def _count(suite: ET.Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for element, name in _OUTCOMES.items():
        suite.set(name, str(sum(case.find(element) is not None for case in cases)))
