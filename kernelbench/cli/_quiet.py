"""The option of every command that measures: how long to wait for a quiet host."""

import math

import click

from kernelbench.errors import UsageError

DEFAULT_S = 10.0
"""Long enough for a compiler or an updater to end, short enough to be forgotten on a host that is always busy."""

LONGEST_S = 3600.0
"""A longer wait is a typing error: nobody wants a job that hangs for hours on a busy host."""


def checked_wait(ctx: click.Context, option: click.Parameter, given: float) -> float:
    """``given`` seconds. Raises UsageError for what is no time to wait."""
    if math.isfinite(given) and 0 <= given <= LONGEST_S:
        return given
    raise UsageError(f"--wait-quiet {given:g} is no time to wait; give seconds from 0 (do not wait) to {LONGEST_S:.0f}")


wait_quiet_option = click.option(
    "--wait-quiet",
    type=float,
    default=DEFAULT_S,
    show_default=True,
    metavar="SECONDS",
    callback=checked_wait,
    help="Longest wait for other work on this host to end; 0: none.",
)
"""Gives ``wait_quiet``: seconds."""
