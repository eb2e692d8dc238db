"""A comparison in each of its formats, written where it was asked for."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import UNSET, Struct, UnsetType

from kernelbench.errors import StoreError, UsageError

if TYPE_CHECKING:
    from kernelbench.analysis.expectations import Judged
    from kernelbench.cli._verdicts import Gate
    from kernelbench.report.comparison_pair import Pair
    from kernelbench.report.comparison_words import Named, View

FORMATS = ("table", "md", "json", "junit")

PLAIN_WIDTH = 80
"""What is not a terminal has no width of its own."""

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Environment variable that names the file of a CI job's summary page."""


class Output(Struct, frozen=True):
    """One format, and where it goes."""

    form: str
    """One of ``FORMATS``."""
    path: Path | UnsetType = UNSET
    """Absent: standard output."""


def outputs(texts: Sequence[str], *, as_json: bool = False) -> tuple[Output, ...]:
    """Formats as typed: "md" or "junit=report.xml"; the table goes to standard output where no other format does.

    Raises UsageError for an unknown format, one without a file name after "=", and two for standard output.
    """
    found = dict.fromkeys(_output(text) for text in (*texts, *(["json"] if as_json else [])))
    printed = [one.form for one in found if isinstance(one.path, UnsetType)]
    if len(printed) > 1:
        raise UsageError(
            f"only one format can go to the output, got {' and '.join(printed)}; give others a file: "
            f"--format {printed[-1]}=FILE"
        )
    return tuple(found) if printed else (Output(FORMATS[0]), *found)


def check_place(option: str, path: Path) -> None:
    """Raises UsageError for a file that cannot be written, before anything is measured for it."""
    if path.is_dir():
        raise UsageError(f"{option}: {path} is a folder; give a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{option}: {path} cannot be written: there is no folder {path.parent}; make it first")


def write_page(pairs: Sequence["Pair"], judged: Sequence["Judged"], wanted: "Gate") -> None:
    """Write the page where one is asked for, of one pair at least. Raises StoreError when the disk refuses."""
    if isinstance(wanted.page, UnsetType) or not pairs:
        return
    from kernelbench.report.comparison_html import page
    from kernelbench.store.files import write_text_atomic

    write_text_atomic(wanted.page, page(pairs, judged))
    click.echo(f"wrote {wanted.page}", err=True)


def publish(comparisons: Sequence["Named"], judged: Sequence["Judged"], wanted: "Gate") -> None:
    """Write every format where it belongs, and append the summary. Raises StoreError when the disk refuses."""
    from kernelbench.report.comparison_words import View
    from kernelbench.store.files import write_text_atomic

    view = View(wanted.sort, wanted.only_changed)
    for output in wanted.outputs:
        text = _rendered(output, comparisons, judged, view)
        if isinstance(output.path, UnsetType):
            _print(text)
        else:
            write_text_atomic(output.path, text)
            click.echo(f"wrote {output.path}", err=True)
    if not isinstance(wanted.summary, UnsetType) or os.environ.get(STEP_SUMMARY):
        _summarise(_rendered(Output("md"), comparisons, judged, view), wanted.summary)


def _output(text: str) -> Output:
    form, equals, name = text.partition("=")
    if form not in FORMATS:
        raise UsageError(f"--format {text!r}: {form!r} is none; give one of {', '.join(FORMATS)}, or FORMAT=FILE")
    if equals and not name:
        raise UsageError(f"--format {text!r} names no file after '='; give {form}=FILE, or {form} alone")
    return Output(form, Path(name)) if equals else Output(form)


def _print(text: str) -> None:
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        # The reader (head, less) left. The verdict still counts, and click would make of this an exit code 1.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _rendered(output: Output, comparisons: Sequence["Named"], judged: Sequence["Judged"], view: "View") -> str:
    if output.form == "json":
        from kernelbench.report.comparison import to_json

        return to_json(comparisons, judged)
    if output.form == "md":
        from kernelbench.report import comparison_md

        return comparison_md.render(comparisons, judged, view=view)
    if output.form == "junit":
        from kernelbench.report import junit

        return junit.render(comparisons, judged)
    return _table(comparisons, judged, view)


def _table(comparisons: Sequence["Named"], judged: Sequence["Judged"], view: "View") -> str:
    from kernelbench.report.comparison import render
    from kernelbench.report.comparison_side import render_side_by_side

    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    blocks = []
    if len(comparisons) > 1:
        blocks.append(render_side_by_side(comparisons, width=width, view=view))
    blocks += [render(named, width=width, view=view) for named in comparisons if len(comparisons) == 1]
    if judged:
        from kernelbench.report import expectations

        blocks.append(expectations.render(judged, width=width))
    return "\n".join(blocks)


def _summarise(text: str, asked: Path | UnsetType) -> None:
    """Append to the file asked for and to the CI's own; the latter nobody asked for, so it can only warn."""
    if not isinstance(asked, UnsetType) and (fault := _append(asked, text)):
        raise StoreError(f"{asked}: the summary was not written ({fault}); check that its folder exists")
    ours = os.environ.get(STEP_SUMMARY, "")
    if ours and Path(ours) != asked and (fault := _append(Path(ours), text)):
        click.echo(f"warning: {ours} (${STEP_SUMMARY}): the summary was not written ({fault})", err=True)


def _append(path: Path, text: str) -> str:
    """Append ``text``; why that was not possible, empty when it was."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except OSError as error:
        return error.strerror or str(error)
    return ""
