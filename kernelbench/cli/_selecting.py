"""What `ab` and `calibrate` share: the options that select cells, and the configuration they make."""

import math
from collections.abc import Callable
from typing import Any

import click
from msgspec import UNSET

from kernelbench.config import Config, Flags, load, override
from kernelbench.errors import UsageError

_LISTS = ("kernels", "cases", "dtypes", "sizes", "params", "threads", "isa", "cache")


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of ``selected``, for a click command that passes it what it was given."""
    many: dict[str, Any] = {"multiple": True}
    options = (
        click.option("-c", "--config", "config_name", metavar="CONFIG", default="ci", help="TOML, or quick, full, ci."),
        click.option("-m", "--module", "modules", metavar="FILE.py", help="Kernels of your own, both sides.", **many),
        click.option("-k", "--kernel", "kernels", metavar="GLOB", help="Variants ('matmul/*'); repeatable.", **many),
        click.option("--case", "cases", metavar="GLOB", help="Case ids ('*/n=64/t=1'); repeatable.", **many),
        click.option("--dtype", "dtypes", metavar="LIST", help="Number types: f32,i8.", **many),
        click.option("-s", "--sizes", metavar="LIST", help="64,256 or conv2d:1x64x56x56,64x3x3; repeatable.", **many),
        click.option("-p", "--param", "params", metavar="NAME=LIST", help="Values of a parameter.", **many),
        click.option("-t", "--threads", metavar="LIST", help="Thread counts: 1,2,all.", **many),
        click.option("--isa", metavar="LIST", help="Instruction sets: native,avx2.", **many),
        click.option("--cache", metavar="LIST", help="Cache states: warm,cold.", **many),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def selected(given: dict[str, Any], *, modules: bool) -> Config:
    """The configuration with the flags over it, ``modules`` says whether those of --module among them.

    Raises UsageError for a time budget that is no time.
    """
    from kernelbench.cli.run import find_config

    budget_s = given["time_budget_s"]
    if budget_s is not None and not 0 < budget_s < math.inf:
        raise UsageError(f"--time-budget {budget_s:g} is no time; give seconds above 0")
    chosen: dict[str, Any] = {name: given[name] or UNSET for name in (*_LISTS, *(["modules"] if modules else []))}
    flags = Flags(**chosen, seed=UNSET if given["seed"] is None else given["seed"])
    return override(load(find_config(given["config_name"])), flags)
