"""The expectations of a configuration in a run: a slip is refused before it, the rest judged and answered for after."""

from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelbench.config import Config
from kernelbench.report.text import safe_text

if TYPE_CHECKING:
    from kernelbench.model import Result
    from kernelbench.plan import Plan
    from kernelbench.runner.session import Finish

FAILED, UNDECIDED = 1, 3

fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["ambiguous"]),
    multiple=True,
    help="Also exit 3 when an expectation cannot be decided.",
)
"""Gives ``fail_on``: what else is a failure."""


def check_planned(config: Config, plan: "Plan", path: Path) -> None:
    """Warn of rules without a case in ``plan``, all that the configuration at ``path`` asks for.

    Raises ConfigError, with the line, for one that has none on any machine.
    """
    from kernelbench.config_check import located
    from kernelbench.expect import matches, unplanned

    problem = unplanned(config.expect, (*plan.cases, *(case for case, _ in plan.skipped)))
    if problem:
        raise located(path, path.read_text(), problem)
    for rule in config.expect:
        if not any(matches(rule, case) for case in plan.cases):
            text = f"warning: no case of this run is one of the expectation {rule.text}; `--list` shows the cases"
            click.echo(safe_text(text), err=True)


def judged(finish: "Finish") -> "Finish":
    """``finish`` with the expectations of its configuration judged."""
    from msgspec.structs import replace

    from kernelbench.analysis.expectations import judge_own, keep

    return replace(finish, result=keep(finish.result, judge_own(finish.result)))


def expected_code(result: "Result", fail_on: Container[str]) -> int:
    """Exit code of what was judged, 0 where nothing speaks against it; what it means goes to stderr."""
    from kernelbench.analysis.expectations import kept

    states = [one.state for one in kept(result)]
    failed, undecided = states.count("fail"), states.count("undecided")
    if failed:
        click.echo(f"{failed} of {len(states)} expectations failed", err=True)
        return FAILED
    if undecided and "ambiguous" in fail_on:
        click.echo(f"{undecided} of {len(states)} expectations could not be decided", err=True)
        return UNDECIDED
    return 0
