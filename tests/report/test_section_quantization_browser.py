"""The picture of fewer bits in Chromium: a problem at a time, chosen by its select."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kernelbench.model import Accuracy
from kernelbench.report.html import render
from tests.builders import case, matmul_work, record, result
from tests.report.chromium import browser, drawn, page_of

__all__ = ["browser"]

SMALL, LARGE = "matmul n=64, 1 thread", "matmul n=512, 1 thread"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with two problems, each in f32 and i8."""
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    records = []
    for n in (64, 512):
        for style, dtype, seconds, snr_db in (("library", "f32", 3e-3, 140.0), ("quantized", "i8", 1e-3, 40.0)):
            made = record(
                case(f"matmul/{style}", dtype, {"m": n, "n": n, "k": n}), [seconds * n] * 6, work=matmul_work(n)
            )
            records.append(replace(made, accuracy=Accuracy("max |error|", 1e-3, "float64", 1e-2, snr_db)))
    path.write_text(render(result(records)))
    return path.as_uri()


def words(figure: Any) -> str:
    return " ".join(figure.locator("svg text").all_text_contents())


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_chart_draws_without_a_complaint(browser: Any, address: str, width: int, scheme: str) -> None:
    with page_of(browser, address, width, scheme) as (page, faults):
        assert "median time per call" in words(drawn(page, "quantization"))
        assert faults == []


def test_choosing_a_problem_draws_its_own_times(browser: Any, address: str) -> None:
    with page_of(browser, address) as (page, faults):
        figure = drawn(page, "quantization")
        assert "fastest plain f32: library, 1.54 s" in words(figure)
        page.get_by_label("Problem:").filter(has=page.get_by_role("option", name=SMALL)).last.select_option(SMALL)
        page.wait_for_function(
            "[...document.querySelectorAll('#chart-quantization svg text')].some(t => t.textContent.includes('192 ms'))"
        )
        assert "fastest plain f32: library, 192 ms" in words(figure)
        assert faults == []


def test_a_mark_tells_its_numbers(browser: Any, address: str) -> None:
    with page_of(browser, address) as (page, _):
        drawn(page, "quantization").locator(".mark-symbol.role-mark path").first.hover()
        page.wait_for_selector("#vg-tooltip-element.visible")
        told = page.locator("#vg-tooltip-element").inner_text()
        assert "matmul/quantized/i8/n=512/t=1" in told
        assert "1.0e-02" in told
