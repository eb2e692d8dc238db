"""A machine card as a page: self-contained, escaped, complete."""

import base64
import hashlib
import html as stdlib_html
import json
import re

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.ladder import usable
from kernelbench.analysis.roofline import compute_name
from kernelbench.report import card_html
from kernelbench.report.card_charts import specs
from tests.builders import machine
from tests.report.card_data import bandwidths, card, compute, skipped
from tests.report.page_data import EVIL
from tests.report.parsed import Page, policy


@pytest.fixture(scope="module")
def page() -> str:
    return card_html.render(card())


def plain(page: str) -> str:
    return stdlib_html.unescape(re.sub(r"<script.*?</script>|<style>.*?</style>", "", page, flags=re.S))


def test_nothing_in_the_page_points_outside_it(page: str) -> None:
    for tag, attributes in Page(page).tags:
        assert tag not in ("iframe", "object", "embed", "base"), tag
        for name in ("src", "href", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)


def test_the_policy_names_the_hash_of_every_script_that_runs_and_nothing_else(page: str) -> None:
    bodies = re.findall(r"<script>(.*?)</script>", page, re.S)
    hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    wanted = " ".join(f"'sha256-{h}'" for h in hashes)
    assert len(hashes) == 2
    assert policy(page).startswith(f"default-src 'none'; script-src {wanted};")


def test_the_page_stays_below_3_mb(page: str) -> None:
    assert len(page.encode()) < 3_000_000


def test_every_chart_has_its_place_and_its_specification(page: str) -> None:
    island = re.search(r'<script type="application/json" id="chart-specs">(.*?)</script>', page, re.S)
    assert island
    assert "<" not in island[1]
    assert set(json.loads(island[1])) == {"ladder", "compute", "latency"}
    assert set(re.findall(r'id="chart-(\w+)" class="chart"', page)) == {"ladder", "compute", "latency"}


def test_every_measured_number_stands_in_a_table(page: str) -> None:
    # Bandwidths and latencies: 57 points each, 7 mixes at 2 thread counts, one cell with its origin in the title.
    assert len(re.findall(r'<td class="number" title="[^"]+">[0-9.]+( ns)?</td>', page)) == 57 * 7 * 2 + 57
    for ceiling in usable(card().ceilings, "compute"):
        assert f'<th scope="row" class="name">{compute_name(ceiling)}</th>' in page


def test_every_number_says_how_it_was_measured(page: str) -> None:
    for ceiling in usable(card().ceilings, "memory"):
        assert ceiling.provenance in page
    assert plain(page).count("12 independent chains, fma seen in the emitted code") == 20


def test_what_was_not_measured_and_why_is_listed(page: str) -> None:
    assert "<code>bf16 dot avx2, i8 dot avx2</code>: avx2 has no dot-product instruction" in page
    assert "AMX (i8): present, not measured" in page


def test_machine_clock_and_date_are_told(page: str) -> None:
    for fact in ("Example CPU 9000", "Clock 3.61 GHz", "2026-01-02T03:04:05", "no PMU: KVM guest", "code abc123"):
        assert fact in plain(page)


def test_knees_and_claimed_sizes_are_marked_in_the_ladder() -> None:
    text = json.dumps(specs(card().ceilings, machine())["ladder"])
    assert all(label in text for label in ("L1 32 KiB", "L2 1 MiB", "L3 16 MiB", "L3 8 MiB"))
    assert text.count("the read curve falls behind") == 6


def test_each_mix_differs_in_more_than_its_colour() -> None:
    text = json.dumps(specs(card().ceilings, machine())["ladder"])
    for channel in ("color", "strokeDash", "shape"):
        assert f'"{channel}": {{"field": "mix"' in text


def test_text_from_a_card_adds_no_element_and_no_control_character() -> None:
    made = card()
    ceilings = [replace(c, provenance=EVIL, **({} if c.level is UNSET else {"level": EVIL})) for c in made.ceilings]
    ceilings += [skipped("i8", EVIL, 1, EVIL), replace(compute(EVIL, EVIL, EVIL, 1, 1e9), unit=EVIL)]
    ceilings += [replace(c, mix=EVIL) for c in list(bandwidths())[:3]]
    named = replace(made.machine, id=EVIL, virtualisation=EVIL)
    page = card_html.render(replace(made, machine=named, ceilings=tuple(ceilings), created=EVIL, source_hash=EVIL))
    shown = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert len(Page(page).scripts) == 3
    assert not [a for tag, a in Page(shown).tags if tag == "img" or "onerror" in a]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)


def test_a_card_of_nothing_but_its_machine_is_a_page_without_a_script() -> None:
    page = card_html.render(card(ceilings=()))
    assert "<script" not in page
    assert "script-src 'none'" in policy(page)
    assert "Example CPU 9000" in page
