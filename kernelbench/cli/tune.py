"""`kernelbench tune`: search a kernel's tunable parameters on this machine, and keep what `run` then uses."""

import math
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click
from msgspec import UNSET

from kernelbench.cli._quiet import wait_quiet_option
from kernelbench.config import Config, Flags, Matrix, override
from kernelbench.errors import StoreError, UsageError
from kernelbench.report.text import safe_text
from kernelbench.units import seconds

if TYPE_CHECKING:
    from kernelbench.model import Tuning
    from kernelbench.tuning.session import Session

FAILED, INTERRUPTED = 4, 130
BUDGET = "60s"
LEAST_S, LONGEST_S = 5.0, 86400.0
"""Less allows no fresh processes at all; more is a typing error."""
PLAIN_WIDTH = 80
"""What is not a terminal has no width of its own."""
_UNITS = {"": 1.0, "s": 1.0, "min": 60.0, "h": 3600.0}


def budget_of(ctx: click.Context, option: click.Parameter, given: str) -> float:
    """ "60s", "5min", "90" in seconds. Raises UsageError."""
    match = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(s|min|h|)\s*", given)
    found = float(match[1]) * _UNITS[match[2]] if match else math.nan
    if LEAST_S <= found <= LONGEST_S:
        return found
    raise UsageError(f"--budget {given!r} is no time to search; give {seconds(LEAST_S)} to 24h, such as 60s or 5min")


@click.command()
@click.argument("kernel", metavar="KERNEL")
@click.option("-s", "--sizes", multiple=True, metavar="LIST", help="512 or 1x4096x4096; repeatable [the op's own].")
@click.option("--dtype", "dtypes", multiple=True, metavar="LIST", help="Number types: f32,f64 [f32].")
@click.option("-t", "--threads", multiple=True, metavar="LIST", help="Thread counts: 1,2,all [all the kernel can use].")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=LIST", help="Values of the op's parameters.")
@click.option(
    "--budget", "budget_s", default=BUDGET, show_default=True, callback=budget_of, metavar="TIME", help="For each case."
)
@click.option("-m", "--module", "modules", multiple=True, metavar="FILE.py", help="Kernels of your own; repeatable.")
@click.option("--seed", type=int, help="Seed of operands and order.")
@click.option("--forget", is_flag=True, help="Forget what was found for KERNEL on this machine; measure nothing.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
@click.option("--svg", metavar="PATH", help="The landscape as a picture, of one case.")
@wait_quiet_option
@click.option("--quiet", is_flag=True, help="No progress.")
def command(**given: Any) -> int:
    """Find the parameters of KERNEL (block sizes, crossovers) that are fastest on this machine.

    KERNEL is a variant ('matmul/packed') or an op, for all its variants that have such parameters. Each candidate is
    verified and timed in turns with the default; the best one wins only if fresh processes prove it faster. `run` then
    uses it, and says so; docs/TUNE.md tells how.

    Exit codes: 0 done, 2 usage, 4 a kernel is wrong or crashed, 70 our fault, 130 interrupted.
    """
    if given["forget"]:
        return _forget(given)
    _check_target(given)
    found = _measure(_config(given), given)
    _show(found, as_json=given["as_json"])
    if given["svg"]:
        _draw(found, given["svg"])
    return _code(found)


def _config(given: dict[str, Any]) -> Config:
    """What to tune, as a configuration: nothing but the flags."""
    kernels = (_glob(given["kernel"]),)
    lists: dict[str, Any] = {name: given[name] or UNSET for name in ("sizes", "dtypes", "threads", "params", "modules")}
    flags = Flags(**lists, kernels=kernels, seed=UNSET if given["seed"] is None else given["seed"])
    return override(Config(matrix=(Matrix(kernels=kernels),)), flags)


def _glob(kernel: str) -> str:
    """An op stands for all its variants."""
    return kernel if "/" in kernel else f"{kernel}/*"


def _forget(given: dict[str, Any]) -> int:
    from kernelbench.machine import detect
    from kernelbench.store import tuned

    narrowing = [name for name in ("sizes", "dtypes", "threads", "params") if given[name]]
    if narrowing:
        raise UsageError(f"--forget forgets all that was found for {given['kernel']}: leave out --{narrowing[0]}")
    gone = tuned.forget(detect().id, (_glob(given["kernel"]),))
    for key in gone:
        click.echo(f"forgotten: {safe_text(key)}")
    if not gone:
        click.echo(f"nothing was found for {safe_text(given['kernel'])} on this machine", err=True)
    return 0


def _check_target(given: dict[str, Any]) -> None:
    """Refuse a place for the picture that cannot be, before anything is measured."""
    from kernelbench.cli import _documents

    if given["svg"]:
        _documents.check({"svg": given["svg"]}, [])
        if given["as_json"] and given["svg"] == _documents.STDOUT:
            raise UsageError("only one document can go to stdout, not --json and --svg -; give the picture a path")


def _measure(config: Config, given: dict[str, Any]) -> "list[Tuning]":
    """Every case, one after the other; what is found is kept at once. Ctrl-C ends it with what is done."""
    from msgspec.structs import replace

    from kernelbench.cli.run import alone, progress_of
    from kernelbench.runner.guards import sigterm_as_interrupt
    from kernelbench.runner.quiet import noting_quiet
    from kernelbench.store.lock import HostLock
    from kernelbench.tuning.session import compile_all, prepare, tune

    found: list[Tuning] = []
    with HostLock() as lock, progress_of(quiet=given["quiet"]) as progress, sigterm_as_interrupt():
        alone(lock)
        session = prepare(config, any_dtype=bool(given["dtypes"]), any_threads=bool(given["threads"]))
        _tell(session, given)
        uncompiled = compile_all(session, progress)
        for target in session.targets:
            if target.case.id in uncompiled:
                progress.warn(f"{target.case.id} does not compile: {uncompiled[target.case.id]}")
                continue
            with noting_quiet(given["wait_quiet"], progress.warn) as notes:
                one = tune(session, target, progress, budget_s=given["budget_s"])
            found.append(replace(one, notes=(*one.notes, *notes)))
            if not one.interrupted and not one.failed:
                _keep(one)
            if one.interrupted:
                break
    return found


def _tell(session: "Session", given: dict[str, Any]) -> None:
    """What is about to be done, and for how long. Raises UsageError where nothing is."""
    for name, reason in session.skipped:
        click.echo(f"skipped {safe_text(name)}: {safe_text(reason)}", err=True)
    if not session.targets:
        raise UsageError(f"nothing to tune: every case of {given['kernel']} is skipped")
    if not given["quiet"]:
        count = len(session.targets)
        cases = f"{count} cases, up to {seconds(given['budget_s'])} each" if count > 1 else seconds(given["budget_s"])
        click.echo(f"tuning {cases}; Ctrl-C ends it, the default stays then", err=True)


def _keep(one: "Tuning") -> None:
    """Keep the winner for `run`; a disk that refuses costs no result."""
    from kernelbench.store import tuned

    try:
        kept = tuned.keep(one)
    except StoreError as error:
        click.echo(f"warning: `run` will not use it: {error}", err=True)
        return
    if kept:
        click.echo(f"stored for `run`: {safe_text(tuned.class_of(one.case))} and sizes near it", err=True)


def _show(found: "list[Tuning]", *, as_json: bool) -> None:
    from kernelbench.report.tuning import render, to_json

    if as_json:
        click.echo(to_json(found), nl=False)
        return
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    colour = terminal and not os.environ.get("NO_COLOR")
    click.echo("\n".join(render(one, width=width, colour=colour) for one in found), nl=False)


def _draw(found: "list[Tuning]", target: str) -> None:
    from kernelbench.cli import _documents
    from kernelbench.report.tuning_chart import svg

    drawable = [one for one in found if one.tried and not one.failed]
    if len(drawable) != 1:
        raise UsageError(
            f"--svg shows one case, and {len(drawable)} were searched: give one size, type and thread count"
        )
    _documents.write(svg(drawable[0]), target)


def _code(found: "list[Tuning]") -> int:
    """DESIGN's code for how it went; of several the first of 130, 4."""
    if any(one.interrupted for one in found):
        return INTERRUPTED
    wrong = not found or any(one.failed or any(tried.failed for tried in one.tried) for one in found)
    return FAILED if wrong else 0
