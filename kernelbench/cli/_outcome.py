"""What a run prints and writes at its end, and with which code it exits."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import UNSET, UnsetType

from kernelbench.errors import StoreError
from kernelbench.model import Failed, Result
from kernelbench.plan import Plan
from kernelbench.report.text import safe_text
from kernelbench.runner.job import Summary
from kernelbench.store.files import write_text_atomic
from kernelbench.store.journal import CaseDead, Event, RoundDone

if TYPE_CHECKING:
    from kernelbench.runner.session import Finish

FAILED_KERNEL = 4
OUR_FAULT = 70
INTERRUPTED = 130

PLAIN_WIDTH = 120
"""What is not a terminal has no width of its own; wide enough for every column."""


def show(result: Result) -> None:
    """Table and roofline on stdout, in the terminal's width."""
    from kernelbench.report.terminal import render

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PLAIN_WIDTH if not terminal else 80, 24)).columns
    click.echo(render(result, width=width, colour=terminal and not os.environ.get("NO_COLOR")))


def write_page(result: Result, page: Path | UnsetType, output: Path) -> None:
    """Write the page, if one is wanted. Raises ``StoreError`` when the disk refuses."""
    if page is UNSET:
        return
    from kernelbench.report.html import render

    try:
        write_text_atomic(page, render(result))
    except StoreError as error:
        raise StoreError(
            f"{error}; the result itself is safe: `kernelbench report {output} --html PATH` makes the page"
        ) from error
    click.echo(f"wrote {page}", err=True)


def run_code(finish: "Finish", journal: Path) -> int:
    """Exit code of a run; what it means goes to stderr."""
    summary, result = finish.summary, finish.result
    if summary.interrupted:
        click.echo(f"interrupted: `kernelbench run --resume {journal}` measures the rest", err=True)
    failed = any(isinstance(record.outcome, Failed) for record in result.records)
    return _code(summary, failed=failed or bool(finish.broken))


def verified_code(summary: Summary, events: tuple[Event, ...], broken: tuple[str, ...]) -> int:
    """Exit code of a dry run; ``broken`` as of its session."""
    return _code(summary, failed=any(isinstance(event, CaseDead) for event in events) or bool(broken))


def warn_left_out(broken: tuple[str, ...]) -> None:
    """Say which modules could not be imported; the rest is measured."""
    for line in broken:
        click.echo(f"warning: {safe_text(line)}; its kernels are left out", err=True)


def verified_table(plan: Plan, events: tuple[Event, ...]) -> str:
    """One line a case: pass with its error and tolerance, fail with stage and message, or skipped with the reason."""
    from tabulate import tabulate

    verified = {event.case_id: event.measured.accuracy for event in events if isinstance(event, RoundDone)}
    dead = {event.case_id: event for event in events if isinstance(event, CaseDead)}
    rows: list[tuple[str, str, str]] = []
    for case in plan.cases:
        if case.id in dead:
            rows.append((case.id, "FAIL", safe_text(f"{dead[case.id].stage}: {dead[case.id].message}")))
        elif case.id in verified:
            accuracy = verified[case.id]
            rows.append((case.id, "pass", f"{accuracy.value:.2g} of {accuracy.tolerance:.2g} allowed"))
        else:
            rows.append((case.id, "-", "interrupted before it"))
    rows += [(case.id, "skip", safe_text(reason)) for case, reason in plan.skipped]
    return tabulate(rows, headers=("case", "check", "error, or why"), tablefmt="simple", disable_numparse=True)


def _code(summary: Summary, *, failed: bool) -> int:
    for note in summary.notes:
        click.echo(safe_text(note), err=True)
    for fault in summary.faults:
        click.echo(f"error: kernelbench's own code failed in a worker, please report it: {safe_text(fault)}", err=True)
    if summary.interrupted:
        return INTERRUPTED
    if summary.faults:
        return OUR_FAULT
    return FAILED_KERNEL if failed else 0
