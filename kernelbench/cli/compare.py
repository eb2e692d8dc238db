"""``kernelbench compare``: did a change make it slower?"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelbench.errors import UsageError

if TYPE_CHECKING:
    from kernelbench.report.comparison import Named

REGRESSED, AMBIGUOUS, FAILED, MISSING = 1, 3, 4, 6

PLAIN_WIDTH = 80


@click.command(name="compare")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--threshold", default="5%", show_default=True, help="Effects up to this do not count: 5% or 0.05.")
@click.option("--across-machines", is_flag=True, help="Compare how close each comes to its own machine's roof.")
@click.option(
    "--fail-on",
    type=click.Choice(["ambiguous", "missing"]),
    multiple=True,
    help="Also exit 3 when a cell is ambiguous, 6 when one is missing. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every cell as JSON and nothing else.")
def command(
    base: Path, new: tuple[Path, ...], threshold: str, across_machines: bool, fail_on: tuple[str, ...], as_json: bool
) -> int:
    """Compare NEW results with BASE, case by case.

    Exits 0 when no cell regressed, 1 when one did, 4 when one that BASE measured failed, 5 when nothing could
    be compared. A regression is called only when its whole 95% interval lies beyond the threshold.
    """
    limit = parse_threshold(threshold)
    comparisons = _compared(base, new, limit, across_machines)
    if as_json:
        from kernelbench.report.comparison import to_json

        click.echo(to_json(comparisons), nl=False)
    else:
        _print(comparisons)
    _refuse_nothing(comparisons)
    return exit_code(comparisons, fail_on)


def parse_threshold(text: str) -> float:
    """ "5%" or "0.05" as 0.05. Raises UsageError for anything not above 0 and below 1."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError as error:
        raise UsageError(f"--threshold {text!r} is not a number; give a share such as 5% or 0.05") from error
    if not 0 < value < 1:
        raise UsageError(f"--threshold {text!r} is not between 0% and 100%; give a share such as 5% or 0.05")
    return value


def exit_code(comparisons: Iterable["Named"], fail_on: Iterable[str]) -> int:
    """DESIGN's code for what was found; of several the first of 4, 1, 6, 3."""
    found = [named.comparison for named in comparisons]
    if any(c.broken for c in found):
        return FAILED
    if any(c.count("regressed") for c in found):
        return REGRESSED
    if "missing" in fail_on and any(c.count("missing") for c in found):
        return MISSING
    if "ambiguous" in fail_on and any(c.count("ambiguous") for c in found):
        return AMBIGUOUS
    return 0


def _compared(base: Path, news: tuple[Path, ...], threshold: float, across_machines: bool) -> list["Named"]:
    from kernelbench.analysis.compare import compare
    from kernelbench.report.comparison import Named
    from kernelbench.store.files import read_result

    before = read_result(base)
    # Every file is read before the first verdict: an unreadable one (2) must not follow half an answer.
    after = [(path, read_result(path)) for path in news]
    return [
        Named(str(base), str(path), compare(before, result, threshold=threshold, across_machines=across_machines))
        for path, result in after
    ]


def _print(comparisons: Iterable["Named"]) -> None:
    from kernelbench.report.comparison import render

    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    click.echo("\n".join(render(named, width=width) for named in comparisons), nl=False)


def _refuse_nothing(comparisons: Iterable["Named"]) -> None:
    from kernelbench.analysis.compare import nothing_in_common

    for named in comparisons:
        if named.comparison.compared_nothing:
            raise nothing_in_common(named.comparison)
