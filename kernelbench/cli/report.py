"""``kernelbench report``: show a result on the terminal, or write it as a page, a picture, a table or a document."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from kernelbench.cli._documents import check, picture_for, write
from kernelbench.errors import ResultFileError, UsageError
from kernelbench.model import Result

RESULTS = Path("results")
BESIDE = "beside the result"
"""What ``--html`` without a path means."""

_PROFILE_FORMS = ("html", "md", "json")
"""Documents that a profile has of its own."""


@click.command(name="report")
@click.argument("results", nargs=-1, type=click.Path(path_type=Path), metavar="[RESULT]...")
@click.option(
    "--html",
    is_flag=False,
    flag_value=BESIDE,
    metavar="[PATH]",
    help="Write one self-contained page; without PATH beside the result.",
)
@click.option("--open", "opened", is_flag=True, help="Open the page in a browser; implies --html.")
@click.option("--svg", metavar="PATH|-", help="Write the roofline as a picture; - is stdout.")
@click.option("--png", metavar="PATH", help="Write the roofline as a picture for a slide.")
@click.option("--csv", metavar="PATH|-", help="Write every number, one line a case; - is stdout.")
@click.option("--md", metavar="PATH|-", help="Write Markdown, with the picture where one is written; - is stdout.")
@click.option("--brief", is_flag=True, help="Make --md short enough for a comment: finding, fastest cases, advice.")
@click.option("--json", "as_json", is_flag=True, help="Print rows, machines and ceilings as JSON.")
def command(
    results: tuple[Path, ...],
    html: str | None,
    opened: bool,
    svg: str | None,
    png: str | None,
    csv: str | None,
    md: str | None,
    brief: bool,
    as_json: bool,
) -> None:
    """Show RESULT (without one: the newest in results/).

    Without an option prints the table and a roofline. Several results are compared, case by case, with the first.
    """
    sources = results or (newest(RESULTS),)
    page = _page(sources, html or (BESIDE if opened else None))
    asked = {"html": page, "svg": svg, "png": png, "csv": csv, "md": md, "json": "-" if as_json else None}
    wanted = {kind: target for kind, target in asked.items() if target}
    if brief and "md" not in wanted:
        raise UsageError("--brief shortens --md; give --md PATH as well, or --md -")
    check(wanted, sources)
    _show(sources, wanted, brief=brief)
    if opened:
        from kernelbench.cli._browser import open_page

        open_page(Path(wanted["html"]))


def newest(folder: Path) -> Path:
    """The result file in ``folder`` that was written last. Raises ResultFileError when there is none."""
    found = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name))
    if not found:
        raise ResultFileError(f"no result in {folder}/; measure one with `kernelbench run`, or name a file")
    return found[-1]


def _page(sources: Sequence[Path], html: str | None) -> str | None:
    """Where the page goes: beside the newest of the results unless a path says otherwise."""
    if html != BESIDE:
        return html
    last = sources[-1]
    return str(last.with_suffix(".html") if len(sources) == 1 else last.with_name(f"{last.stem}-compared.html"))


def _show(sources: Sequence[Path], wanted: Mapping[str, str], *, brief: bool) -> None:
    """Every document that is wanted; without one the terminal's."""
    from kernelbench.cli import _compared

    if len(sources) > 1:
        _compared.show_runs(sources, wanted)
        return
    from kernelbench.store.files import read_result

    content = read_result(sources[0])
    if content.kind == "ab":
        _compared.show_pairs(sources[0], content, wanted)
        return
    if content.kind == "profile":
        _show_profile(sources[0], content, wanted, brief=brief)
        return
    if not wanted:
        from kernelbench.cli._outcome import show

        show(content)
    picture = picture_for(wanted)
    for kind, target in wanted.items():
        document = _markdown(content, picture, brief=brief) if kind == "md" else _rendered(kind, content)
        write(document, target)


def _show_profile(source: Path, content: Result, wanted: Mapping[str, str], *, brief: bool) -> None:
    """One kernel in depth; CSV and pictures show its sweeps as those of any cases. Raises ResultFileError."""
    import importlib

    from kernelbench.cli import profile

    try:
        if not wanted:
            profile.show(content)
        for kind, target in wanted.items():
            own = f"kernelbench.report.profile_{kind}" if kind in _PROFILE_FORMS else f"kernelbench.report.{kind}"
            more = {"brief": brief} if kind == "md" else {}
            write(importlib.import_module(own).render(content, **more), target)
    except ResultFileError as error:
        raise ResultFileError(f"{source}: {error}") from error


def _markdown(content: Result, picture: str, *, brief: bool) -> str:
    from kernelbench.report import brief as short
    from kernelbench.report import md

    if brief:
        return short.render(content, picture)
    return short.with_picture(md.render(content), picture) if picture else md.render(content)


def _rendered(kind: str, content: Result) -> str | bytes:
    """The document of one format; each is imported only when asked for."""
    import importlib

    document: str | bytes = importlib.import_module(f"kernelbench.report.{kind}").render(content)
    return document
