"""The page as text: self-contained, escaped, small enough."""

import base64
import hashlib
import json
import re

import pytest

from kernelbench.model import Work
from kernelbench.report import html
from kernelbench.report.columns import COLUMNS
from kernelbench.report.rows import rows
from tests.builders import case, record, result, sample
from tests.report.page_data import hostile
from tests.report.parsed import Page, policy


@pytest.fixture(scope="module")
def page() -> str:
    return html.render(sample())


def spec(page: str) -> str:
    found = re.search(r'<script type="application/json" id="spec-roofline">(.*?)</script>', page, re.S)
    assert found
    return found[1]


def test_nothing_in_the_page_points_outside_it(page: str) -> None:
    for tag, attributes in Page(page).tags:
        assert tag not in ("iframe", "object", "embed", "base"), tag
        for name in ("src", "href", "action", "data"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), (tag, attributes)


def test_the_policy_forbids_network_evaluation_and_foreign_scripts(page: str) -> None:
    rules = policy(page)
    assert rules.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in rules
    assert "unsafe-inline" not in rules.partition("style-src")[0]


def test_the_policy_names_the_hash_of_every_script_that_runs(page: str) -> None:
    bodies = re.findall(r"<script>(.*?)</script>", page, re.S)
    hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    assert len(hashes) == 6
    assert all(f"'sha256-{h}'" in policy(page) for h in hashes)


def test_the_page_stays_below_3_mb(page: str) -> None:
    assert len(page.encode()) < 3_000_000


def test_every_number_of_the_table_reads_as_in_the_other_formats(page: str) -> None:
    for row in rows(sample()):
        for key in ("median", "gflops", "fraction", "naive", "library"):
            assert f">{COLUMNS[key].text(row)}</" in page
    # Rows are sorted by their place in the order, so that no second form of a number is in the page.
    assert not re.search(r'data-rank="[^"]*[.e]', page)


def test_machine_method_and_what_was_not_measured_are_told(page: str) -> None:
    for text in ("Example CPU 9000", "no PMU: KVM guest", "6 fresh process rounds", "would take about 134 s", "BF16"):
        assert text in page


def test_the_chart_holds_every_case_with_flop_and_every_ceiling(page: str) -> None:
    text = spec(page)
    assert sum(row.case_id in text for row in rows(sample()) if row.status == "measured") == 20
    assert all(label in text for label in ("L1 read 198 GB/s", "f32 AVX-512 FMA 117 GFLOP/s", "ridge point: L1"))


def test_the_data_island_is_json_without_a_raw_angle_bracket(page: str) -> None:
    assert json.loads(spec(page))["$schema"].startswith("https://vega.github.io")
    assert "<" not in spec(page)


def test_text_from_a_result_file_adds_no_element_and_no_control_character() -> None:
    page = html.render(hostile())
    shown = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert not [tag for tag, _ in Page(shown).tags if tag == "img"]
    assert not [name for _, attributes in Page(shown).tags for name in attributes if name.startswith("on")]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)


def test_a_result_without_flop_has_the_gb_per_s_view_and_no_roofline() -> None:
    work = Work("modelled", read_bytes=1e6, write_bytes=1e6, working_set_bytes=2e6)
    page = html.render(result([record(case("transpose/naive", shape={"n": 500}), work=work)]))
    assert 'id="chart-roofline"' not in page
    assert 'id="chart-bandwidth"' in page
    assert "transpose n=500" in page


def test_a_page_without_a_chart_carries_no_vega() -> None:
    assert "vegaEmbed =" not in html.render(result([], ceilings=(), machines={}))
