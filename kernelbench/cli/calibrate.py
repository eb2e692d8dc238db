"""`kernelbench calibrate`: what the gate can tell apart on this host, tried on identical and on slower code."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from kernelbench.analysis.calibration import MIN_ROUNDS
from kernelbench.cli._quiet import wait_quiet_option
from kernelbench.cli._selecting import selected, selection_options
from kernelbench.config import Config
from kernelbench.errors import UsageError
from kernelbench.report.text import safe_text
from kernelbench.thresholds import Thresholds, parse

if TYPE_CHECKING:
    from kernelbench.analysis.calibration import Calibration
    from kernelbench.gate.execute import Outcome
    from kernelbench.gate.session import Measured, Session

FAILED, OUR_FAULT, INTERRUPTED = 4, 70, 130

PLAIN_WIDTH = 80
"""What is not a terminal has no width of its own."""
ROUNDS = 12
MOST_ROUNDS = 200
"""More than anybody waits for: a typing error."""
LEAST_SLOWDOWN = 0.005
"""Less is beneath what a clock-sized loop of extra work can be set to."""
CELL_S = 0.6
"""About what one cell takes in one round."""
START_S = 3.0
"""About what a pair of processes takes to start and end."""


@click.command(name="calibrate")
@selection_options
@click.option("--rounds", type=int, default=ROUNDS, show_default=True, help="Rounds of each kind; rates need 8.")
@click.option("--slowdowns", default="2%,5%,10%", show_default=True, metavar="LIST", help="Extra work to inject; none.")
@click.option(
    "--threshold",
    multiple=True,
    metavar="[GLOB=]SHARE",
    help="As `ab` will be given it: 5% (the default), 'matmul/*=10%'.",
)
@click.option(
    "--time-budget", "time_budget_s", type=float, metavar="SECONDS", help="For the measuring  [as long as it takes]."
)
@click.option("--seed", type=int, help="Seed of operands, order and draws.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Result file with every round.")
@wait_quiet_option
@click.option("--quiet", is_flag=True, help="No progress.")
def command(**given: Any) -> int:
    """Prove the gate on this host, and store the floors that `ab` uses.

    The running kernels are compared with themselves as `ab` compares two versions, and with themselves made slower by
    known shares of extra work inside the compiled call. From these rounds: how often identical code is called changed,
    how often it is decided, which slowdowns are found, and each cell's floor, the smallest threshold that this host
    allows. docs/CALIBRATE.md tells how.

    Exit codes: 0 done, 2 usage, 4 a kernel is wrong or crashed, 70 our fault, 130 interrupted.
    """
    slowdowns, thresholds = _slowdowns(given["slowdowns"]), parse(given["threshold"])
    if not 1 <= given["rounds"] <= MOST_ROUNDS:
        raise UsageError(f"--rounds {given['rounds']} is no number of rounds; give {MIN_ROUNDS} to {MOST_ROUNDS}")
    if given["rounds"] < MIN_ROUNDS:
        click.echo(
            f"warning: {given['rounds']} rounds state no rates and no floors; give {MIN_ROUNDS} or more", err=True
        )
    return _calibrate(selected(given, modules=True), slowdowns, thresholds, given)


def _slowdowns(text: str) -> tuple[float, ...]:
    """Shares as typed, "2%,0.05" or "none"; ascending. Raises UsageError."""
    accepted = f"give shares from {LEAST_SLOWDOWN:.1%} to 100% such as 2%,5%,10%, or none"
    if text.strip() == "none":
        return ()
    found = set()
    for part in text.split(","):
        bare = part.strip()
        try:
            share = float(bare.removesuffix("%")) / (100 if bare.endswith("%") else 1)
        except ValueError as error:
            raise UsageError(f"--slowdowns {text!r}: {bare!r} is not a number; {accepted}") from error
        if not LEAST_SLOWDOWN <= share <= 1:
            raise UsageError(f"--slowdowns {text!r}: {bare!r} is out of range; {accepted}")
        found.add(share)
    return tuple(sorted(found))


def _calibrate(config: Config, slowdowns: tuple[float, ...], thresholds: Thresholds, given: dict[str, Any]) -> int:
    from kernelbench.cli.run import alone
    from kernelbench.gate.calibrate import judge, result
    from kernelbench.runner.session import now
    from kernelbench.store import floors
    from kernelbench.store.files import default_output, ensure_writable, write_result
    from kernelbench.store.lock import HostLock

    asked: Path = given["output"] or Path("results")
    is_folder = given["output"] is None or asked.is_dir()
    ensure_writable(asked if is_folder else asked.parent)
    with HostLock() as lock:
        alone(lock)
        measured, notes = _measure(config, slowdowns, thresholds, given)
        judged = judge(measured, given["rounds"], thresholds.default)
        judged = replace(judged, notes=(*judged.notes, *notes))
        machine = measured.session.machine.id
        output = default_output(asked, now(), machine) if is_folder else asked
        write_result(output, result(measured, judged))
        click.echo(f"wrote {output}", err=True)
        _show(judged, as_json=given["as_json"])
        if judged.floors:
            rounds = {cell.case_id: cell.rounds for cell in judged.cells}
            path = floors.keep(machine, judged.floors, rounds, judged.created, given["config_name"])
            click.echo(f"floors of {len(judged.floors)} cells stored for `ab`: {path}", err=True)
    return _code(measured.outcome, judged)


def _measure(
    config: Config, slowdowns: tuple[float, ...], thresholds: Thresholds, given: dict[str, Any]
) -> tuple["Measured", list[str]]:
    """All rounds, and what the host was like meanwhile."""
    from kernelbench.cli.run import progress_of
    from kernelbench.gate.calibrate import Trials, kinds, running
    from kernelbench.gate.session import carry_out, prepare
    from kernelbench.runner.quiet import noting_quiet

    with progress_of(quiet=given["quiet"]) as progress:
        session = prepare(config, running(config.modules), progress)
        cells = kinds(session, thresholds, slowdowns)
        if not cells:
            raise UsageError(f"nothing to calibrate: {_why_none(session)}")
        board = Trials(cells, given["rounds"])
        pairs = len({(cell.batch, cell.case.threads, cell.case.isa) for cell in cells})
        about_s = given["rounds"] * (len(cells) * CELL_S + pairs * START_S)
        _tell(session, len(slowdowns) + 1, about_s, given)
        with noting_quiet(given["wait_quiet"], progress.warn) as notes:
            measured = carry_out(session, board, progress, time_budget_s=given["time_budget_s"] or float("inf"))
    return measured, notes


def _why_none(session: "Session") -> str:
    known = session.known[1]
    return known.missing or next(iter(known.skipped.values()), "the configuration asks for no cell")


def _tell(session: "Session", kinds: int, about_s: float, given: dict[str, Any]) -> None:
    """What is about to be done, and for how long."""
    known = session.known[1]
    if known.skipped:
        why = safe_text(next(iter(known.skipped.values())))
        click.echo(f"{len(known.skipped)} asked for but left out, the first because: {why}", err=True)
    if given["quiet"]:
        return
    time = min(about_s, given["time_budget_s"] or about_s)
    told = f"about {time / 60:.0f} min" if time >= 90 else f"about {time:.0f} s"
    counts = ((len(known.cases), "cell"), (given["rounds"], "round"), (kinds, "kind"))
    times = " x ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts)
    click.echo(f"{times}: {told}; Ctrl-C keeps what is done", err=True)


def _show(judged: "Calibration", *, as_json: bool) -> None:
    from kernelbench.report.calibration import render, to_json

    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    click.echo(to_json(judged) if as_json else render(judged, width=width), nl=False)


def _code(outcome: "Outcome", judged: "Calibration") -> int:
    """DESIGN's code for how it went; of several the first of 130, 70, 4."""
    for fault in outcome.faults:
        click.echo(f"error: kernelbench's own code failed in a worker, please report it: {safe_text(fault)}", err=True)
    if outcome.interrupted:
        click.echo("interrupted: rates and floors are of the rounds measured until then", err=True)
        return INTERRUPTED
    if outcome.faults:
        return OUR_FAULT
    return FAILED if any(cell.failed for cell in judged.cells) else 0
