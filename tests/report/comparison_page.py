"""Comparison pages for tests, and what is in them."""

import json
import re
from typing import Any

from msgspec.structs import replace

from kernelbench.analysis.cell import Comparison
from kernelbench.analysis.compare import compare
from kernelbench.model import Record, Result
from kernelbench.report import comparison_html
from kernelbench.report.comparison_words import Named
from tests.builders import case, matmul_work, record, result
from tests.report.comparison_data import named
from tests.report.parsed import Page


def of(comparison: Comparison | None = None, *results: Result) -> str:
    """The page of one comparison; with BASE and NEW where given."""
    named_results = [(f"side {i}", one) for i, one in enumerate(results)]
    return comparison_html.render([named(comparison)], named_results)


def text(page: str) -> str:
    return Page(page).text


def spec(page: str, figure: str) -> dict[str, Any]:
    found = re.search(rf'class="spec" data-figure="{figure}">(.*?)</script>', page, re.S)
    assert found, f"no figure {figure}"
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def data(page: str, figure: str, field: str) -> list[dict[str, Any]]:
    """The data set of a figure whose values have ``field``."""
    return next(values for values in spec(page, figure)["datasets"].values() if field in values[0])


def runs(*changes: float, **more: Any) -> tuple[Result, Result]:
    """Two runs of as many cases, in which NEW takes so many times as long."""
    shapes = [{"m": 64 + i, "n": 64 + i, "k": 64 + i} for i in range(len(changes))]
    times = [1e-3 * (1 + i) for i in range(len(changes))]

    def side(factors: list[float]) -> list[Record]:
        pairs = zip(shapes, times, factors, strict=True)
        return [record(case(shape=s), [t * f] * 10, work=matmul_work(s["n"])) for s, t, f in pairs]

    return result(side([1.0] * len(changes))), replace(result(side(list(changes)), **more), created="2026-02-02T00:00Z")


def compared(*changes: float, **more: Any) -> str:
    base, new = runs(*changes, **more)
    return comparison_html.render([Named("main", "branch", compare(base, new))], [("main", base), ("branch", new)])


def rows_of(page: str) -> list[dict[str, Any]]:
    """What the forest draws, in order."""
    return data(page, "forest", "band_high")


def moves(page: str) -> list[dict[str, Any]]:
    """What the arrows are drawn from."""
    return data(page, "arrows", "x2")
