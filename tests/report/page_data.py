"""Results whose pages the browser tests open, and what they look for in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kernelbench.model import Failed, Result, Work
from kernelbench.report import html
from tests.builders import case, machine, record, result, sample
from tests.report.chromium import drawn, page_of

EVIL = (
    '"><script>window.evil=1;alert(1)</script></script><img src=x onerror="window.evil=2;alert(2)">'
    "{{7*7}}\x1b[31m\u202e'`${alert(3)}javascript:alert(4)"
)
"""Tries to be an element, an attribute, a script's end, a template, an expression, a colour and a direction."""

DOTS = "#chart-roofline svg g.dots_marks path"
RINGS = "#chart-roofline svg g.ring_marks path"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the sample."""
    return written(tmp_path_factory.mktemp("page") / "report.html", sample())


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """That page with its roofline drawn; no test may make it complain."""
    with page_of(browser, address) as (page, faults):
        drawn(page)
        yield page
        assert faults == []


def written(path: Path, content: Result) -> str:
    """The page of ``content`` in a file: its address."""
    path.write_text(html.render(content), encoding="utf-8")
    return path.as_uri()


def shown(page: Any) -> list[str]:
    """Case ids of the rows that no filter hides, in the order shown."""
    ids: list[str] = page.evaluate(
        "Array.from(document.querySelectorAll('#cases tr.case:not([hidden])'), row => row.dataset.case)"
    )
    return ids


def dots(page: Any) -> int:
    """How many dots the roofline shows."""
    return int(page.locator(DOTS).count())


def hostile() -> Result:
    """Every text of a file that may come from anywhere is ``EVIL``."""
    made = sample()
    of = replace(case(), id=EVIL, variant=EVIL, op=EVIL, style=EVIL, dtype=EVIL)
    records = [
        record(of, flags=(EVIL,), isa_used=EVIL),
        record(replace(of, id=EVIL + "2"), Failed(EVIL, EVIL)),
        record(replace(case(), id=f"={EVIL}"), work=Work("declared", 2e9, EVIL, 1e6, 1e6, 0.0, 3e6)),
    ]
    of_evil = replace(machine(), virtualisation=EVIL, cpu=replace(machine().cpu, model=EVIL))
    ceilings = [replace(c, provenance=EVIL) for c in made.ceilings]
    ceilings += [replace(c, level=EVIL, id=EVIL) for c in made.ceilings if c.kind == "memory"]
    machines = dict.fromkeys(made.machines, of_evil)
    return replace(
        made, records=tuple(records), machines=machines, ceilings=tuple(ceilings), created=EVIL, notes=(EVIL,)
    )


def two_machines() -> Result:
    """The same case on two machines; only the first has ceilings."""
    other = "ba9876543210"
    machines = {**result().machines, other: machine(other, "Other CPU")}
    return result([record(), record(machine=other)], machines=machines)
