"""`kernelbench run`: measure what a configuration and the flags select, show it and keep it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from msgspec import UNSET, UnsetType

from kernelbench.cli._expectations import check_planned, expected_code, fail_on_option, judged
from kernelbench.cli._quiet import wait_quiet_option
from kernelbench.config import Config, Flags, load, override
from kernelbench.errors import UsageError
from kernelbench.report.text import safe_text

if TYPE_CHECKING:
    from contextlib import closing

    from kernelbench.runner.progress import Quiet
    from kernelbench.runner.session import Session
    from kernelbench.store.lock import HostLock

LOCK_WAIT_S = 60.0
BUILT_IN = ("quick", "full", "ci")

_WITH_RESUME = {"resume", "output", "html", "no_html", "quiet", "wait_quiet", "fail_on"}
"""Options that make sense for a run that was planned earlier."""

_SELECTING = ("kernels", "cases", "dtypes", "sizes", "params", "threads", "isa", "cache")
"""Options that may leave a rule of the configuration without its cases."""


@click.command()
@click.argument("config", required=False, metavar="[CONFIG]")
@click.option("-k", "--kernel", "kernels", multiple=True, metavar="GLOB", help="Variants ('matmul/*'); repeatable.")
@click.option("--case", "cases", multiple=True, metavar="GLOB", help="Case ids ('*/n=64/t=1'); repeatable.")
@click.option("--dtype", "dtypes", multiple=True, metavar="LIST", help="Number types: f32,i8.")
@click.option(
    "-s", "--sizes", multiple=True, metavar="LIST", help="64,256,1x4096x4096 or conv2d:1x64x56x56,64x3x3; repeatable."
)
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=LIST", help="Values of a parameter: sparsity=0.5,0.9."
)
@click.option("-t", "--threads", multiple=True, metavar="LIST", help="Thread counts: 1,2,all.")
@click.option("--isa", multiple=True, metavar="LIST", help="Instruction sets: native,avx2.")
@click.option("--cache", multiple=True, metavar="LIST", help="Cache states: warm,cold.")
@click.option("--quick", is_flag=True, help="3 rounds, short samples: a look, no verdict.")
@click.option("--rigorous", is_flag=True, help="At least 10 rounds, long samples.")
@click.option("--rounds", type=int, help="Process rounds; an interval needs 6.")
@click.option("--time-budget", "time_budget_s", type=float, metavar="SECONDS", help="For the whole run.")
@click.option("--seed", type=int, help="Seed of operands and order.")
@click.option("--list", "list_only", is_flag=True, help="Print the case ids and stop.")
@click.option("--dry-run", is_flag=True, help="Verify every case, time nothing.")
@click.option("--resume", metavar="FILE", type=click.Path(path_type=Path), help="Continue an interrupted run.")
@click.option("-m", "--module", "modules", multiple=True, metavar="FILE.py", help="Kernels of your own; repeatable.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Result file [results/<time>.json]."
)
@click.option("--html", type=click.Path(path_type=Path), metavar="PATH", help="Page to write [beside the result].")
@click.option("--no-html", is_flag=True, help="Write no page.")
@click.option("--no-ceilings", is_flag=True, help="Do not measure the machine's ceilings.")
@click.option("--no-tuned", is_flag=True, help="Default parameters, whatever `tune` found.")
@wait_quiet_option
@fail_on_option
@click.option("--quiet", is_flag=True, help="No progress.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> int:
    """Measure ceilings and kernels, check them, write a report.

    CONFIG is a TOML file, or quick (the default), full, ci; with -m and no CONFIG only FILE is measured. Flags
    win over it. An interrupted run (Ctrl-C) keeps what is done; `--resume` continues it.

    [[expect]] rules of CONFIG say what the run must show (docs/EXPECTATIONS.md).

    Exit codes: 0 fine, 1 an expectation failed, 2 usage, 4 a kernel is wrong or crashed, 70 our fault,
    130 interrupted.
    """
    if given["html"] and given["no_html"]:
        raise UsageError("--html and --no-html exclude each other: give one of them")
    if given["resume"]:
        _refuse_selection(ctx)
        return _resume(given["resume"], given)
    config = override(load(find_config(given["config"])), _flags(given))
    if given["list_only"]:
        return _list(config, given)
    if given["dry_run"]:
        return _dry_run(config, given)
    return _run(config, given)


def find_config(name: str | None) -> Path:
    """The file of a configuration given by path, by built-in name, or not at all (quick)."""
    if name is not None and name not in BUILT_IN:
        return Path(name)
    here = Path(__file__).resolve().parents[1]
    # A wheel carries the files inside the package, a checkout beside it.
    file = f"{name or BUILT_IN[0]}.toml"
    inside, beside = here / "configs" / file, here.parent / "configs" / file
    return inside if inside.exists() else beside


def _flags(given: dict[str, Any]) -> Flags:
    lists = (*_SELECTING, "modules")
    numbers = ("rounds", "time_budget_s", "seed")
    typed: dict[str, Any] = {
        **{name: given[name] or UNSET for name in lists},
        **{name: UNSET if given[name] is None else given[name] for name in numbers},
        **{name: given[name] for name in ("quick", "rigorous")},
    }
    own = bool(given["modules"]) and not given["config"]
    return Flags(only_modules=own, ceilings=False if given["no_ceilings"] else UNSET, **typed)


def _refuse_selection(ctx: click.Context) -> None:
    """A resumed run is the one that was begun: nothing about it can be changed."""
    for option in ctx.command.params:
        name = option.name or ""
        if name not in _WITH_RESUME and ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            spelled = option.opts[-1] if option.opts[-1].startswith("-") else name.upper()
            raise UsageError(f"--resume continues a run as it was begun: {spelled} cannot be changed; leave it out")


def _prepared(config: Config, given: dict[str, Any]) -> "Session":
    """The planned run. Raises ConfigError for a rule about nothing that the configuration as written asks for."""
    from kernelbench.cli._outcome import warn_left_out
    from kernelbench.runner.session import prepare

    session = prepare(config, use_tuned=not given["no_tuned"])
    warn_left_out(session.broken)
    for note in session.notes:
        click.echo(safe_text(note), err=True)
    if not any(given[name] for name in _SELECTING):
        check_planned(config, session.plan, find_config(given["config"]))
    return session


def _list(config: Config, given: dict[str, Any]) -> int:
    from kernelbench.cli._outcome import FAILED_KERNEL

    session = _prepared(config, given)
    plan = session.plan
    for case in plan.cases:
        click.echo(case.id)
    for case, reason in plan.skipped:
        click.echo(f"skipped {case.id}: {reason}", err=True)
    return FAILED_KERNEL if session.broken else 0


def _dry_run(config: Config, given: dict[str, Any]) -> int:
    from kernelbench.cli._outcome import verified_code, verified_table
    from kernelbench.runner.session import verify

    session = _prepared(config, given)
    with progress_of(quiet=given["quiet"]) as progress:
        summary, events = verify(session, progress)
    click.echo(verified_table(session.plan, events))
    return verified_code(summary, events, session.broken)


def _run(config: Config, given: dict[str, Any]) -> int:
    from kernelbench.runner.session import begin, now
    from kernelbench.store.files import default_output, ensure_writable
    from kernelbench.store.lock import HostLock

    asked: Path = given["output"] or Path("results")
    is_folder = given["output"] is None or asked.is_dir()
    ensure_writable(asked if is_folder else asked.parent)
    with HostLock() as lock:
        alone(lock)
        session = _prepared(config, given)
        created = now()
        output = default_output(asked, created, session.machine.id) if is_folder else asked
        journal = output.with_suffix(".journal")
        page = _page(output, given)
        _check_distinct(output, journal, page)
        begin(session, journal, created)
        return _measure_and_show(journal, output, page, given)


def _resume(named: Path, given: dict[str, Any]) -> int:
    from kernelbench.runner.session import check_resumable
    from kernelbench.store.files import ensure_writable
    from kernelbench.store.lock import HostLock

    journal = named.with_suffix(".journal")
    if not journal.exists():
        missing = f"{journal} does not exist" if journal != named else "there is no such file"
        raise UsageError(
            f"cannot resume {named}: {missing}; give the .journal that an interrupted run left beside its result"
        )
    output: Path = given["output"] or journal.with_suffix(".json")
    page = _page(output, given)
    _check_distinct(output, journal, page)
    ensure_writable(output.parent)
    with HostLock() as lock:
        alone(lock)
        check_resumable(journal)
        return _measure_and_show(journal, output, page, given)


def _page(output: Path, given: dict[str, Any]) -> Path | UnsetType:
    """Where the page goes, if anywhere. Its folder is tried before anything is measured."""
    from kernelbench.store.files import ensure_writable

    if given["no_html"]:
        return UNSET
    page: Path = given["html"] or output.with_suffix(".html")
    ensure_writable(page.parent)
    return page


def _check_distinct(output: Path, journal: Path, page: Path | UnsetType) -> None:
    if output == journal or page in (output, journal):
        raise UsageError(
            f"result, journal and page would all be one file, {output}: give --output a name like run.json"
        )


def _measure_and_show(journal: Path, output: Path, page: Path | UnsetType, given: dict[str, Any]) -> int:
    from kernelbench.cli._outcome import run_code, show, write_page
    from kernelbench.runner.session import carry_on, write

    with progress_of(quiet=given["quiet"]) as progress:
        finish = judged(carry_on(journal, progress, wait_quiet_s=given["wait_quiet"]))
    write(finish, output, journal)
    click.echo(f"wrote {output}", err=True)
    try:
        # Before the table, whose reader (head, less) may leave and end us.
        write_page(finish.result, page, output)
    finally:
        show(finish.result)
    return run_code(finish, journal) or expected_code(finish.result, given["fail_on"])


def alone(lock: "HostLock") -> None:
    if not lock.acquire(LOCK_WAIT_S, _say):
        _say("measuring although another run may disturb this one and be disturbed by it")


def _say(text: str) -> None:
    click.echo(f"warning: {text}", err=True)


def progress_of(*, quiet: bool) -> "closing[Quiet]":
    import contextlib
    import time

    from kernelbench.runner.progress import progress_for

    return contextlib.closing(progress_for(time.monotonic, quiet=quiet))
