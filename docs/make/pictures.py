"""Writes docs/pictures: the page of a real run as Chromium shows it. `python docs/make/pictures.py [RESULT]`.

RESULT is docs/example/run.json where none is named. Needs the `dev` extra and a Chromium on the PATH. The network
is cut.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from msgspec import Struct

from kernelbench.errors import KernelbenchError, UsageError
from kernelbench.model import Result
from kernelbench.report import html, svg
from kernelbench.store.files import read_result

FOLDER = Path(__file__).parents[1] / "pictures"
RUN = Path(__file__).parents[1] / "example" / "run.json"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PADDING_PX = 12

DRAWN = "kernelbench.drawAll().then(views => Promise.all(views.map(view => view.runAsync()))).then(() => null)"
"""Waits until every chart shows what it was told to. (A view itself is more than can be handed out of the page.)"""


class Shot(Struct, frozen=True):
    """One picture of a part of the page."""

    name: str
    part: str
    """A CSS selector."""
    width: int = 1100
    height: int = 900
    """Of the window, pixels; a part that is higher is cut there."""
    scheme: str = "light"
    choice: str = ""
    """What to choose in the select beside the chart; empty: what it shows at first."""


SHOTS = (
    Shot("roofline-light", "#roofline figure"),
    Shot("roofline-dark", "#roofline figure", scheme="dark"),
    Shot("ladder", "#ladder figure", choice="matmul n=512, 1 thread"),
    Shot("table", "#table", width=1440, height=620),
    Shot("phone", "#roofline figure", width=390, height=844, scheme="dark"),
)


def write(result: Result) -> None:
    """Every picture of ``result``. Raises UsageError without a browser, or when the page lacks a part."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "roofline.svg").write_text(svg.render(result), encoding="utf-8")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise UsageError("no chromium on PATH; install one (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "report.html"
        page.write_text(html.render(result), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            _take(browser, page.as_uri(), shot)
        browser.close()


def _take(browser: Any, address: str, shot: Shot) -> None:
    window = {"width": shot.width, "height": shot.height}
    scale = 2 if shot.width < 500 else 1  # as the phones have it that are so narrow
    context = browser.new_context(
        viewport=window, color_scheme=shot.scheme, offline=True, device_scale_factor=scale, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    page.screenshot(path=FOLDER / f"{shot.name}.png", clip=_box(page, shot), full_page=True)
    context.close()


def _box(page: Any, shot: Shot) -> dict[str, float]:
    """Where the part lies on the page, once its chart is drawn. Raises UsageError when there is none."""
    part = page.locator(shot.part).first
    if part.count() == 0:
        raise UsageError(f"the page has no {shot.part!r}, of which docs/pictures/{shot.name}.png is to be")
    # Charts are drawn when they come near the window, and move what lies below them.
    page.evaluate(DRAWN)
    if shot.choice:
        options = part.locator("select option").all_text_contents()
        if shot.choice not in options:
            raise UsageError(f"{shot.part!r} offers no {shot.choice!r}, only {', '.join(options) or 'nothing'}")
        part.locator("select").select_option(label=shot.choice)
        page.evaluate(DRAWN)
    box = part.bounding_box()
    assert box is not None, "a part that is there has a place"
    return {
        "x": max(0.0, box["x"] - PADDING_PX),
        "y": max(0.0, box["y"] - PADDING_PX),
        "width": box["width"] + 2 * PADDING_PX,
        "height": min(box["height"], shot.height) + 2 * PADDING_PX,
    }


if __name__ == "__main__":
    try:
        write(read_result(Path(sys.argv[1]) if len(sys.argv) > 1 else RUN))
    except KernelbenchError as error:
        sys.exit(f"error: {error}")
    print(f"wrote {FOLDER}")
