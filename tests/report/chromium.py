"""System Chromium for tests of pages, and a page opened offline with everything it complained about."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """System Chromium; without one the tests skip, or fail where KERNELBENCH_REQUIRE_BROWSER=1."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "no chromium on PATH; install one (Debian: apt-get install chromium)"
        if os.environ.get("KERNELBENCH_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@contextmanager
def page_of(
    browser: Any, address: str, width: int = 1440, scheme: str = "light", **more: Any
) -> Iterator[tuple[Any, list[str]]]:
    """The page at ``address`` with the network cut, and what the console or the network complained about.

    A dialog, which no page of ours opens, counts as a complaint. ``more``: options of the browser's context.
    """
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, offline=True, **more)
    page = context.new_page()
    faults: list[str] = []

    def dismissed(dialog: Any) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: faults.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None)
    page.route("**/*", lambda route: route.continue_() if route.request.url == address else route.abort())
    page.goto(address)
    yield page, faults
    context.close()


def drawn(page: Any, id: str = "roofline") -> Any:
    """The place of a figure, once it is drawn."""
    page.locator(f"#chart-{id}").scroll_into_view_if_needed()
    page.wait_for_selector(f"#chart-{id}[data-drawn]", timeout=30_000)
    return page.locator(f"#chart-{id}")
