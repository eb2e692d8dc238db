"""What `compare` and `ab` share: options of a gate, the formats of a comparison, and the exit code."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import UNSET, Struct, UnsetType

from kernelbench.cli._documents import check
from kernelbench.cli._publish import FORMATS, STEP_SUMMARY, Output, check_place, outputs, publish
from kernelbench.errors import UsageError
from kernelbench.thresholds import Thresholds, parse

if TYPE_CHECKING:
    from kernelbench.analysis.expectations import Judged
    from kernelbench.report.comparison_words import Named

__all__ = ["Gate", "exit_code", "gate", "gate_options", "publish", "refuse_nothing", "warn_idle"]

REGRESSED, AMBIGUOUS, FAILED, MISSING = 1, 3, 4, 6

FAIL_ON = ("regression", "ambiguous", "missing", "none")
SORTS = ("verdict", "ratio", "case")


class Gate(Struct, frozen=True):
    """How verdicts are judged, shown and answered for."""

    thresholds: Thresholds
    outputs: tuple[Output, ...]
    fail_on: tuple[str, ...]
    """Some of ``FAIL_ON``; a regression fails unless this holds "none"."""
    summary: Path | UnsetType
    sort: str
    only_changed: bool
    page: Path | UnsetType = UNSET
    """Where the page goes; absent where none is asked for."""


def gate_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of ``Gate``, for a click command that passes what it was given to ``gate``."""
    options = (
        click.option(
            "--threshold",
            multiple=True,
            metavar="[GLOB=]SHARE",
            help="Effects up to this do not count: 5% (the default), or 'matmul/*=10%' for some cells; the last that "
            "matches wins. Repeatable.",
        ),
        click.option(
            "--format",
            multiple=True,
            metavar="FORMAT[=FILE]",
            help=f"One of {', '.join(FORMATS)} [table]; with =FILE written there beside the output. Repeatable.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Short for --format json."),
        click.option(
            "--fail-on",
            type=click.Choice(FAIL_ON),
            multiple=True,
            help="A regression exits 1 in any case; also exit 3 on an ambiguous cell, 6 on a missing one. Repeatable. "
            "none: whatever the verdicts, exit 0.",
        ),
        click.option(
            "--summary",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help=f"Append the verdicts as Markdown [${STEP_SUMMARY}].",
        ),
        click.option("--html", type=click.Path(path_type=Path), metavar="PATH", help="Also write a page, in one file."),
        click.option("--sort", type=click.Choice(SORTS), default=SORTS[0], show_default=True, help="Order of cells."),
        click.option("--only-changed", is_flag=True, help="Leave unchanged cells out of tables."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def gate(given: dict[str, Any], sources: Sequence[Path] = ()) -> Gate:
    """The gate that the options of ``gate_options`` ask for; ``sources`` are files that nothing may write over.

    Raises UsageError for what contradicts itself.
    """
    fail_on: tuple[str, ...] = given["fail_on"]
    if "none" in fail_on and len(set(fail_on)) > 1:
        others = ", ".join(dict.fromkeys(one for one in fail_on if one != "none"))
        raise UsageError(f"--fail-on none and --fail-on {others} exclude each other: give one of them")
    summary: Path | UnsetType = UNSET if given["summary"] is None else given["summary"]
    wanted = outputs(given["format"], as_json=given["as_json"])
    page: Path | UnsetType = UNSET if given["html"] is None else given["html"]
    for option, path in [("--summary", summary), *(("--format", output.path) for output in wanted), ("--html", page)]:
        if not isinstance(path, UnsetType):
            check_place(option, path)
    if not isinstance(page, UnsetType):
        check({"html": str(page)}, sources)
    return Gate(
        parse(given["threshold"]),
        wanted,
        fail_on,
        summary,
        given["sort"],
        given["only_changed"],
        page,
    )


def exit_code(
    comparisons: Iterable["Named"],
    fail_on: Iterable[str],
    judged: Sequence["Judged"] = (),
    *,
    no_baseline: bool = False,
) -> int:
    """DESIGN's code for what was found; of several the first of 4, 1, 6, 3. With "none" always 0."""
    asked = tuple(fail_on)
    found = [named.comparison for named in comparisons]
    if "none" in asked:
        return 0
    if any(c.broken for c in found):
        return FAILED
    if any(c.count("regressed") for c in found) or any(one.state == "fail" for one in judged):
        return REGRESSED
    if "missing" in asked and (no_baseline or any(c.count("missing") for c in found)):
        return MISSING
    undecided = any(c.count("ambiguous") for c in found) or any(one.state == "undecided" for one in judged)
    return AMBIGUOUS if "ambiguous" in asked and undecided else 0


def refuse_nothing(comparisons: Iterable["Named"]) -> None:
    """Raises IncomparableError for a comparison that compared nothing: it must never read as a pass."""
    from kernelbench.analysis.compare import nothing_in_common

    for named in comparisons:
        if named.comparison.compared_nothing:
            raise nothing_in_common(named.comparison)


def warn_idle(wanted: Gate, comparisons: Iterable["Named"]) -> None:
    """Warn of thresholds whose glob matches no cell: the cells they were meant for are judged by another."""
    ids = [cell.case_id for named in comparisons for cell in named.comparison.cells]
    for glob in wanted.thresholds.idle(ids) if ids else ():
        click.echo(f"warning: --threshold {glob!r} matches no cell here", err=True)
