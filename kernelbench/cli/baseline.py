"""``kernelbench baseline``: keep results by name, look at them, let them go."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from msgspec import UnsetType

from kernelbench.cli.report import RESULTS, newest
from kernelbench.store.baselines import FOLDER

if TYPE_CHECKING:
    from kernelbench.model import Result
    from kernelbench.store.baselines import Entry

T = TypeVar("T")

PLAIN_WIDTH = 80
"""What is not a terminal has no width of its own."""

_COMMIT_DIGITS = 7
_NARROWEST_NAME = 8

folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=FOLDER,
    show_default=True,
    metavar="PATH",
    help="Where baselines are kept.",
)
machine_option = click.option("--machine", metavar="ID", help="Whose baseline, as `list` shows it [this machine's].")


class InOrder(click.Group):
    """Shows its commands in the order of a baseline's life."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they were added."""
        return list(self.commands)


@click.group(name="baseline", cls=InOrder)
def command() -> None:
    """Keep results by name, to compare later ones with.

    Times of one machine are no measure for another, so each machine has its own baselines; a name may stand for
    one result on each.
    """


@command.command(name="save")
@click.argument("result", type=click.Path(path_type=Path), required=False)
@click.option("--name", default="main", show_default=True, help="Letters, digits, '.', '_' and '-'.")
@click.option("--force", is_flag=True, help="Replace an earlier one; take an interrupted run or failed cases as well.")
@folder_option
def save(result: Path | None, name: str, force: bool, folder: Path) -> None:
    """Keep RESULT as a baseline of its machine.

    Without RESULT the newest in results/ is taken.

    Exit codes: 0 fine, 2 refused or unreadable, 70 the disk is full or the like.
    """
    from kernelbench.report.text import safe_text
    from kernelbench.store import baselines
    from kernelbench.store.files import read_result

    source = result or newest(RESULTS)
    content = read_result(source)
    doubts = baselines.doubts(content, name, folder)
    path = baselines.save(content, name, folder, force=force)
    for doubt in doubts:
        click.echo(f"warning: kept although {safe_text(doubt)}", err=True)
    for remark in _remarks(content):
        click.echo(f"warning: {safe_text(remark)}", err=True)
    count = baselines.cells(content)
    click.echo(
        f"kept {count} cell{'s' if count > 1 else ''} of {source} ({_origin(content)}) "
        f"as baseline {name!r} of machine {path.parent.name}: {path}"
    )


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print every baseline as JSON and nothing else.")
@folder_option
def list_(as_json: bool, folder: Path) -> None:
    """List the baselines of every machine."""
    from kernelbench.store.baselines import listing

    found = listing(folder)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
        return
    if not found:
        click.echo(f"no baselines in {folder}; `kernelbench baseline save RESULT` keeps one", err=True)
        return
    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    click.echo("\n\n".join(_blocks(found, width)))


@command.command(name="show")
@click.argument("name")
@machine_option
@folder_option
def show(name: str, machine: str | None, folder: Path) -> None:
    """Print the baseline NAME as `report` does.

    Exit codes: 0 fine, 2 unreadable, 6 there is none.
    """
    from kernelbench.cli import _outcome
    from kernelbench.store.baselines import load, path_of

    machine_id = machine or _this_machine()
    content = load(name, machine_id, folder)
    click.echo(f"baseline {name!r} of machine {machine_id}, {_origin(content)}: {path_of(name, machine_id, folder)}\n")
    _outcome.show(content)


@command.command(name="rm")
@click.argument("name")
@machine_option
@folder_option
def rm(name: str, machine: str | None, folder: Path) -> None:
    """Remove the baseline NAME.

    The result it was made from stays where it is.

    Exit codes: 0 fine, 6 there is none.
    """
    from kernelbench.store.baselines import remove

    click.echo(f"removed {remove(name, machine or _this_machine(), folder)}")


def _this_machine() -> str:
    from kernelbench.machine import detect

    return detect().id


def _origin(result: "Result") -> str:
    """ "measured 2026-01-02 03:04 UTC, commit abc1234"."""
    from kernelbench.report.text import safe_text

    tool = result.kernelbench
    return safe_text(f"measured {result.created}{_commit(tool.commit, tool.dirty, before=', commit ')}")


def _commit(commit: str | UnsetType, dirty: bool | UnsetType, before: str = "") -> str:
    """The first digits of a commit; "+" says that files were changed since."""
    if isinstance(commit, UnsetType):
        return ""
    return f"{before}{commit[:_COMMIT_DIGITS]}{'+' if dirty is True else ''}"


def _remarks(result: "Result") -> Iterator[str]:
    """What does not forbid keeping it, but will show in every comparison."""
    from kernelbench.analysis.stats import MIN_ROUNDS
    from kernelbench.analysis.timing import timing

    rounds = [len(t.round_medians_s) for t in map(timing, result.records) if not isinstance(t, UnsetType)]
    few = sum(count < MIN_ROUNDS for count in rounds)
    if few:
        yield (
            f"{few} of {len(rounds)} cells have fewer than {MIN_ROUNDS} rounds, so that every verdict on them will be "
            f"ambiguous; measure with --rounds {MIN_ROUNDS} or more"
        )
    yield from result.notes


def _blocks(found: "Sequence[Entry]", width: int) -> Iterator[str]:
    """The table, whose machines they are, and what cannot be read."""
    import textwrap

    from kernelbench.report.text import safe_text

    readable = [entry for entry in found if isinstance(entry.fault, UnsetType)]
    if readable:
        yield _table(readable, width)
        cpus = {entry.machine: entry.cpu for entry in readable if not isinstance(entry.cpu, UnsetType)}
        yield "\n".join(textwrap.fill(safe_text(f"{machine}: {cpu}"), width) for machine, cpu in cpus.items())
    for entry in found:
        if not isinstance(entry.fault, UnsetType):
            yield textwrap.fill(safe_text(f"cannot be read: {entry.fault}"), width)


def _table(entries: "Sequence[Entry]", width: int) -> str:
    import tabulate

    from kernelbench.report.text import clip, safe_text

    # Its two spare columns per heading would push the table over 80 characters.
    tabulate.MIN_PADDING = 0
    columns = {
        "machine": [entry.machine for entry in entries],
        "measured": [_shown(entry.created, _minute) for entry in entries],
        "commit": [safe_text(_commit(entry.commit, entry.dirty)) for entry in entries],
        "cells": [_shown(entry.cells, str) for entry in entries],
        "method": [_shown(entry.method_version, _method) for entry in entries],
    }
    taken = sum(2 + max(len(title), *map(len, texts)) for title, texts in columns.items())
    names = [clip(entry.name, max(_NARROWEST_NAME, width - taken)) for entry in entries]
    body = list(zip(names, *columns.values(), strict=True))
    align = ["left", "left", "left", "left", "right", "right"]
    return tabulate.tabulate(body, headers=["name", *columns], tablefmt="simple", disable_numparse=True, colalign=align)


def _shown(value: T | UnsetType, form: Callable[[T], str]) -> str:
    """``form(value)``; empty when there is none."""
    return "" if isinstance(value, UnsetType) else form(value)


def _minute(created: str) -> str:
    """ISO 8601 to the minute: "2026-01-02 03:04"."""
    from kernelbench.report.text import safe_text

    return safe_text(created[:16].replace("T", " "))


def _method(version: int) -> str:
    """ "2", or "1 (old)" when results of today do not compare with it."""
    from kernelbench.model import METHOD_VERSION

    if version == METHOD_VERSION:
        return str(version)
    return f"{version} ({'old' if version < METHOD_VERSION else 'newer'})"
