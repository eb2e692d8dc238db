"""``kernelbench report``: show a result on the terminal, or write it as HTML, CSV, Markdown or JSON."""

from pathlib import Path

import click

from kernelbench.errors import ResultFileError, UsageError
from kernelbench.model import Result, SideInfo

RESULTS = Path("results")
BESIDE = "beside the result"
"""What ``--html`` without a path means."""


@click.command(name="report")
@click.argument("result", type=click.Path(path_type=Path), required=False)
@click.option(
    "--html",
    is_flag=False,
    flag_value=BESIDE,
    metavar="[PATH]",
    help="Write one self-contained page; without PATH beside the result.",
)
@click.option("--csv", metavar="PATH|-", help="Write every number, one line a case; - is stdout.")
@click.option("--md", metavar="PATH|-", help="Write Markdown; - is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print rows, machines and ceilings as JSON.")
def command(result: Path | None, html: str | None, csv: str | None, md: str | None, as_json: bool) -> None:
    """Show RESULT (without one: the newest in results/).

    Without an option prints the table and a roofline.
    """
    source = result or newest(RESULTS)
    pages = {"html": _beside(source, html), "csv": csv, "md": md, "json": "-" if as_json else None}
    wanted = {kind: target for kind, target in pages.items() if target}
    _check(source, wanted)
    from kernelbench.store.files import read_result

    content = read_result(source)
    if content.kind == "ab":
        _paired(source, content, wanted)
        return
    if not wanted:
        from kernelbench.cli._outcome import show

        show(content)
    for kind, target in wanted.items():
        _write(_rendered(kind, content), target)


def newest(folder: Path) -> Path:
    """The result file in ``folder`` that was written last. Raises ResultFileError when there is none."""
    found = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name))
    if not found:
        raise ResultFileError(f"no result in {folder}/; measure one with `kernelbench run`, or name a file")
    return found[-1]


def _beside(source: Path, html: str | None) -> str | None:
    return str(source.with_suffix(".html")) if html == BESIDE else html


def _check(source: Path, wanted: dict[str, str]) -> None:
    """Refuse what would destroy a result or mix two documents on stdout. Raises UsageError."""
    printed = [kind for kind, target in wanted.items() if target == "-"]
    if "html" in printed:
        raise UsageError("--html - is not possible: a page of 1 MB is not for a terminal; give it a path")
    if len(printed) > 1:
        raise UsageError(f"only one document can go to stdout, not {' and '.join(printed)}; give the others a path")
    for kind, target in wanted.items():
        if target != "-" and (Path(target).suffix == ".json" or Path(target).absolute() == source.absolute()):
            raise UsageError(
                f"--{kind} {target} would write over a result file; "
                f"to show it: `kernelbench report {target} --{kind} PATH`"
            )


def _rendered(kind: str, content: Result) -> str:
    """The document of one format; each is imported only when asked for."""
    import importlib

    text: str = importlib.import_module(f"kernelbench.report.{kind}").render(content)
    return text


def _paired(source: Path, content: Result, wanted: dict[str, str]) -> None:
    """Show the verdicts that `ab` found. Raises UsageError for a document that has no place for them."""
    import shutil

    from kernelbench.analysis.paired import stored
    from kernelbench.report import comparison, comparison_md
    from kernelbench.report.comparison_words import Named

    refused = [kind for kind in wanted if kind not in ("md", "json")]
    if refused or len(content.sides) != 2:
        what = f"--{refused[0]} shows a run" if refused else "it does not tell both sides"
        raise UsageError(f"{source}: is a result of `ab`, and {what}; show it with no option, --md or --json")
    base, head = (_title(side) for side in content.sides)
    found = Named(base, head, stored(content))
    if not wanted:
        width = shutil.get_terminal_size((80, 24)).columns
        click.echo(comparison.render(found, width=width), nl=False)
    for kind, target in wanted.items():
        _write(comparison.to_json([found]) if kind == "json" else comparison_md.render([found]), target)


def _title(side: SideInfo) -> str:
    facts = ", ".join(filter(None, (side.commit[:9], "changed" if side.dirty else "")))
    return f"{side.label} ({facts})" if facts and not side.commit.startswith(side.label) else side.label


def _write(text: str, target: str) -> None:
    if target == "-":
        click.echo(text, nl=False)
        return
    from kernelbench.store.files import write_text_atomic

    write_text_atomic(Path(target), text)
    click.echo(f"wrote {target}", err=True)
