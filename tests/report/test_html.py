"""The page as text: self-contained, escaped, small enough."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from kernelbench.model import Failed, Result, Work
from kernelbench.report import html
from kernelbench.report.columns import COLUMNS
from kernelbench.report.rows import rows
from tests.builders import case, record, result, sample

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e"


class Page(HTMLParser):
    """Tags with their attributes, and the text of every script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and self.lasttag == "script":
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def page() -> str:
    return html.render(sample())


def policy(page: str) -> str:
    (meta,) = [a for tag, a in Page(page).tags if a.get("http-equiv") == "Content-Security-Policy"]
    return meta["content"]


def spec(page: str) -> str:
    found = re.search(r'<script type="application/json" id="roofline-spec">(.*?)</script>', page, re.S)
    assert found
    return found[1]


def test_nothing_in_the_page_points_outside_it(page: str) -> None:
    for tag, attributes in Page(page).tags:
        assert tag not in ("iframe", "object", "embed", "base"), tag
        for name in ("src", "href", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)


def test_the_policy_forbids_network_evaluation_and_foreign_scripts(page: str) -> None:
    rules = policy(page)
    assert rules.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in rules
    assert "unsafe-inline" not in rules.partition("style-src")[0]


def test_the_policy_names_the_hash_of_every_script_that_runs(page: str) -> None:
    bodies = re.findall(r"<script>(.*?)</script>", page, re.S)
    hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    assert len(hashes) == 2
    assert all(f"'sha256-{h}'" in policy(page) for h in hashes)


def test_the_page_stays_below_3_mb(page: str) -> None:
    assert len(page.encode()) < 3_000_000


def test_every_number_of_the_table_reads_as_in_the_other_formats(page: str) -> None:
    for row in rows(sample()):
        for key in ("median", "gflops", "fraction", "naive", "library"):
            assert f">{COLUMNS[key].text(row)}</" in page


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


def hostile() -> Result:
    made = sample()
    of = replace(case(), id=EVIL, variant=EVIL, op=EVIL, style=EVIL, dtype=EVIL)
    machines = {key: replace(m, virtualisation=EVIL) for key, m in made.machines.items()}
    bad = [record(of), record(replace(of, id=EVIL + "2"), Failed(EVIL, EVIL))]
    ceilings = [replace(c, provenance=EVIL, level=EVIL) for c in made.ceilings if c.kind == "memory"]
    return replace(made, records=tuple(bad), machines=machines, ceilings=tuple(ceilings), created=EVIL)


def test_text_from_a_result_file_adds_no_element_and_no_control_character() -> None:
    page = html.render(hostile())
    shown = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert len(Page(page).scripts) == 3
    assert not [a for tag, a in Page(shown).tags if tag == "img" or "onerror" in a]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)


def test_a_result_without_flop_has_a_table_and_no_chart() -> None:
    work = Work("modelled", read_bytes=1e6, write_bytes=1e6, working_set_bytes=2e6)
    page = html.render(result([record(case("transpose/naive", shape={"n": 500}), work=work)]))
    assert 'id="roofline"' not in page
    assert "<script" not in page
    assert "script-src 'none'" in page.replace("&#39;", "'")
    assert "transpose n=500" in page


def test_an_empty_result_still_makes_a_page() -> None:
    assert "Nothing was measured" in html.render(result([], ceilings=(), machines={}))
