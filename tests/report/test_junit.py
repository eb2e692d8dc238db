"""A comparison as JUnit XML, read back by the library that CI tools use."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from kernelbench.analysis.cell import Comparison
from kernelbench.report.junit import render
from tests.report.comparison_data import every, hostile, judged, named, timed
from tests.report.golden_file import assert_golden


def cases(text: str, folder: Path) -> dict[str, TestCase]:
    """Every test case by the beginning of its name."""
    path = folder / "report.xml"
    path.write_text(text, encoding="utf-8")
    return {case.name.split("/f32")[0]: case for suite in JUnitXml.fromfile(str(path)) for case in suite}


def kinds(case: TestCase) -> list[type]:
    return [type(result) for result in case.result]


def test_the_xml_is_the_golden_one() -> None:
    assert_golden("comparison.xml", render([named()], judged()))


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("matmul/tiled", [Failure]),
        ("softmax/fused", [Error]),
        ("triad/parallel", [Skipped]),
        ("copy/naive", [Skipped]),
        ("dot/naive", [Skipped]),
        ("gelu/naive", [Skipped]),
        ("relu/vectorized", []),
        ("gemv/naive", []),
        ("matmul/naive", []),
    ],
)
def test_a_verdict_becomes_the_outcome_that_the_exit_code_gives_it(case: str, kind: list[type], tmp_path: Path) -> None:
    assert kinds(cases(render([named()]), tmp_path)[case]) == kind


def test_the_reason_stands_with_a_failure_and_with_a_skip(tmp_path: Path) -> None:
    found = cases(render([named()]), tmp_path)
    assert "lies wholly above 1.050" in found["matmul/tiled"].result[0].message
    assert "only in BASE" in found["copy/naive"].result[0].message


def test_the_counts_of_the_suites_are_those_of_their_cases(tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text(render([named(), named()]), encoding="utf-8")
    made = JUnitXml.fromfile(str(tmp_path / "r.xml"))
    assert (made.tests, made.failures, made.errors, made.skipped) == (20, 2, 2, 8)
    assert [suite.tests for suite in made] == [10, 10]


def test_expectations_are_a_suite_of_their_own(tmp_path: Path) -> None:
    found = cases(render([named()], judged()), tmp_path)
    states = {name: kinds(found[name]) for name in ("tiled beats naive", "two threads pay", "gemv near its roof")}
    assert list(states.values()) == [[], [Failure], [Skipped]]


def test_the_time_of_a_case_is_plain_decimal_seconds(tmp_path: Path) -> None:
    tiny = Comparison("time", 0.05, (timed("a/b/f32/n=1/t=1", "unchanged", 1e-6, ""),))
    assert cases(render([named(tiny)]), tmp_path)["a/b"].time == pytest.approx(1e-9)
    assert "e-" not in render([named(tiny)]).split("time=")[1][:20]


def test_foreign_names_make_no_broken_or_poisoned_xml(tmp_path: Path) -> None:
    text = render([hostile()])
    assert not set(text) & set(map(chr, range(32))) - {"\n"}
    assert len(ElementTree.fromstring(text.partition("\n")[2]).findall(".//testcase")) == 2


def test_a_lone_surrogate_can_be_written(tmp_path: Path) -> None:
    lone = Comparison("time", 0.05, (timed("a/\ud800/f32/n=1/t=1", "regressed", 2.0, "\udfff\ufffe"),))
    assert kinds(next(iter(cases(render([named(lone)]), tmp_path).values()))) == [Failure]


def test_every_cell_is_a_test_case() -> None:
    assert render([named()]).count("<testcase ") == len(every().cells)
