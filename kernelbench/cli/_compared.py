"""Showing what two sides came to: stored runs beside each other, or the verdicts that `ab` found."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelbench.cli._documents import write
from kernelbench.errors import UsageError

if TYPE_CHECKING:
    from kernelbench.model import Result, SideInfo
    from kernelbench.report.comparison_words import Named

COMPARABLE = ("run", "baseline")
"""Kinds of result that hold one side's times."""

FORMS = ("html", "md", "json")
"""Documents that have a place for verdicts."""


def show_runs(sources: Sequence[Path], wanted: Mapping[str, str]) -> None:
    """Compare every result with the first, and show that. Raises UsageError for what is not one side's times.

    Raises IncomparableError where machines or methods differ, or nothing is in common.
    """
    from kernelbench.analysis.compare import compare, nothing_in_common
    from kernelbench.report.comparison_words import Named
    from kernelbench.store.files import read_result

    _refuse(wanted, "one result")
    results = [(str(source), read_result(source)) for source in sources]
    for name, result in results:
        if result.kind not in COMPARABLE:
            raise UsageError(
                f"{name}: is a result of kind {result.kind!r}, which cannot stand beside others; show it alone"
            )
    (base_name, base), *news = results
    found = [Named(base_name, name, compare(base, new)) for name, new in news]
    _publish(found, results, wanted)
    for named in found:
        if named.comparison.compared_nothing:
            raise nothing_in_common(named.comparison)


def show_pairs(source: Path, content: "Result", wanted: Mapping[str, str]) -> None:
    """Show the verdicts that `ab` found. Raises UsageError for a document that has no place for them."""
    from kernelbench.analysis.paired import stored
    from kernelbench.report.comparison_words import Named

    _refuse(wanted, f"a run, and {source} is a result of `ab`")
    if len(content.sides) != 2:
        raise UsageError(f"{source}: is a result of `ab`, but does not tell both sides")
    base, head = (_title(side) for side in content.sides)
    _publish([Named(base, head, stored(content))], [(str(source), content)], wanted)


def _refuse(wanted: Mapping[str, str], shows: str) -> None:
    refused = [kind for kind in wanted if kind not in FORMS]
    if refused:
        accepted = ", ".join(f"--{form}" for form in FORMS)
        raise UsageError(f"--{refused[0]} shows {shows}; a comparison is shown with no option, {accepted}")


def _publish(found: "Sequence[Named]", results: "Sequence[tuple[str, Result]]", wanted: Mapping[str, str]) -> None:
    if not wanted:
        click.echo(_table(found), nl=False)
    for kind, target in wanted.items():
        write(_rendered(kind, found, results), target)


def _table(found: "Sequence[Named]") -> str:
    from kernelbench.report.comparison import render
    from kernelbench.report.comparison_side import render_side_by_side
    from kernelbench.report.comparison_words import PLAIN

    width = shutil.get_terminal_size((80, 24)).columns
    if len(found) == 1:
        return render(found[0], width=width)
    return render_side_by_side(found, width=width, view=PLAIN)


def _rendered(kind: str, found: "Sequence[Named]", results: "Sequence[tuple[str, Result]]") -> str:
    """The document of one of ``FORMS``; each is imported only when asked for."""
    if kind == "html":
        from kernelbench.report import comparison_html

        return comparison_html.render(found, results)
    from kernelbench.report import comparison, comparison_md

    return comparison.to_json(found) if kind == "json" else comparison_md.render(found)


def _title(side: "SideInfo") -> str:
    facts = ", ".join(filter(None, (side.commit[:9], "changed" if side.dirty else "")))
    return f"{side.label} ({facts})" if facts and not side.commit.startswith(side.label) else side.label
