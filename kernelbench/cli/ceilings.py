"""``kernelbench ceilings``: measure what this machine can do, show it, and keep it for later runs."""

import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelbench.errors import UsageError

if TYPE_CHECKING:
    from kernelbench.model import Machine
    from kernelbench.store.card import Card

LOCK_WAIT_S = 60.0
"""Longest wait for another run on this host to end."""
PLAIN_WIDTH = 80
"""What is not a terminal has no width of its own."""


@click.command(name="ceilings")
@click.option("--quick", is_flag=True, help="Half the points, fewer probes: a look.")
@click.option("-t", "--threads", multiple=True, metavar="LIST", help="Thread counts: 1,2,all [1,2,4... and all].")
@click.option("--json", "as_json", is_flag=True, help="Print machine and ceilings as JSON and nothing else.")
@click.option("--html", type=click.Path(path_type=Path), metavar="PATH", help="Also write a page with the curves.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Also write the card as JSON.")
@click.option("--fresh", is_flag=True, help="Forget this machine's earlier card first, whatever comes of this one.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    quick: bool,
    threads: tuple[str, ...],
    as_json: bool,
    html: Path | None,
    output: Path | None,
    fresh: bool,
    quiet: bool,
) -> None:
    """Measure this machine's ceilings: arithmetic, bandwidth, latency.

    The card is kept, and a run within a week reuses it once a few probes prove that it still holds.

    Exit codes: 0 fine, 2 usage, 70 our fault, 130 interrupted.
    """
    from kernelbench.machine import detect

    _check_targets(html, output)
    machine = detect()
    counts = parse_threads(threads, machine.limits.usable_threads)
    if fresh:
        _forget(machine)
    card = _measured(machine, counts, quick=quick, quiet=quiet)
    try:
        # Before the tables, whose reader (head, less) may leave and end us.
        _write_files(card, html, output)
    finally:
        _print(card, as_json=as_json)


def parse_threads(given: Iterable[str], usable: int) -> tuple[int, ...]:
    """ "1,2" and "all" as rising thread counts; empty when nothing was given.

    Raises UsageError for what is no number from 1 to ``usable``.
    """
    counts = set()
    for word in (word.strip() for text in given for word in text.split(",")):
        count = usable if word == "all" else int(word) if re.fullmatch("[0-9]{1,9}", word) else 0
        if not 1 <= count <= usable:
            raise UsageError(
                f"--threads {word!r} cannot be: this process may use {usable} (affinity and CPU quota); "
                f'give numbers from 1 to {usable}, or "all"'
            )
        counts.add(count)
    return tuple(sorted(counts))


def as_document(card: "Card") -> str:
    """What ``--json`` prints: {"machines": {id: machine}, "ceilings": [...]}."""
    import msgspec

    document = {"machines": {card.machine.id: card.machine}, "ceilings": card.ceilings}
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode()


def _check_targets(html: Path | None, output: Path | None) -> None:
    """Prove that the files can be written, before anything is measured. Raises UsageError."""
    from kernelbench.store.files import ensure_writable

    if html is not None and html == output:
        raise UsageError(f"page and card would both be {html}: give --output a name like card.json")
    for path in (html, output):
        if path is not None:
            if path.is_dir():
                raise UsageError(f"{path} is a folder: give the name of a file in it")
            ensure_writable(path.parent)


def _forget(machine: "Machine") -> None:
    from kernelbench.store.card import forget

    reason = forget(machine.id)
    if reason:
        _warn(reason)


def _measured(machine: "Machine", counts: tuple[int, ...], *, quick: bool, quiet: bool) -> "Card":
    import contextlib
    import time

    from kernelbench.runner import cards
    from kernelbench.runner.progress import progress_for
    from kernelbench.store.card import load
    from kernelbench.store.lock import HostLock

    with HostLock() as lock, contextlib.closing(progress_for(time.monotonic, quiet=quiet)) as progress:
        if not lock.acquire(LOCK_WAIT_S, progress.warn):
            progress.warn("measuring although another run may disturb this one and be disturbed by it")
        card = cards.measure(machine, counts, quick=quick, progress=progress)
    kept = load(machine.id, card.source_hash, card.created)
    if isinstance(kept, str):
        _warn(f"this card could not be kept for later runs: {kept}")
    return card


def _write_files(card: "Card", html: Path | None, output: Path | None) -> None:
    """Raises StoreError when the disk refuses."""
    from kernelbench.store.atomic import write_text_atomic
    from kernelbench.store.card import encode

    if output is not None:
        write_text_atomic(output, encode(card))
        click.echo(f"wrote {output}", err=True)
    if html is not None:
        from kernelbench.report.card_html import render

        write_text_atomic(html, render(card))
        click.echo(f"wrote {html}", err=True)


def _print(card: "Card", *, as_json: bool) -> None:
    if as_json:
        click.echo(as_document(card))
        return
    from kernelbench.report.card_terminal import render

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    click.echo(render(card, width=width, colour=terminal and not os.environ.get("NO_COLOR")), nl=False)


def _warn(text: str) -> None:
    click.echo(f"warning: {text}", err=True)
