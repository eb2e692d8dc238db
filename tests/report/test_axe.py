"""Who cannot see the charts, or uses no mouse: axe-core finds nothing that stands in the way."""

from typing import Any

import pytest

from tests.report.chromium import browser, drawn, page_of
from tests.report.page_data import address

__all__ = ["address", "browser"]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(browser: Any, address: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    # The page's own policy keeps axe out as it keeps out everything else: here it must be let in.
    with page_of(browser, address, scheme=scheme, bypass_csp=True) as (page, _):
        drawn(page)
        page.evaluate("window.kernelbench.drawAll().then(() => 0)")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], node["html"][:200], node.get("failureSummary", "")[:300])
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
    assert serious == []
