"""`kernelbench ab`: is HEAD slower than BASE? Both measured in turns, now, on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelbench.cli._publish import write_page
from kernelbench.cli._quiet import wait_quiet_option
from kernelbench.cli._selecting import selected, selection_options
from kernelbench.cli._verdicts import Gate, exit_code, gate, gate_options, publish, refuse_nothing, warn_idle
from kernelbench.config import Config
from kernelbench.report.text import safe_text

if TYPE_CHECKING:
    from kernelbench.gate.execute import Outcome
    from kernelbench.report.comparison_pair import Pair

INTERRUPTED, OUR_FAULT = 130, 70


@click.command(name="ab")
@click.argument("base", metavar="BASE")
@click.argument("head", metavar="HEAD")
@selection_options
@click.option("--time-budget", "time_budget_s", type=float, metavar="SECONDS", help="For the measuring  [4 s a cell].")
@click.option("--seed", type=int, help="Seed of operands and order.")
@click.option("--private", is_flag=True, help="Give each side memory of its own, to see what sharing is worth.")
@click.option("--no-floors", is_flag=True, help="Judge by the thresholds alone, not by what `calibrate` found.")
@gate_options
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Result file.")
@wait_quiet_option
@click.option("--quiet", is_flag=True, help="No progress.")
def command(**given: Any) -> int:
    """Measure BASE and HEAD in turns and say which kernels became slower.

    Each is a git ref, a folder (`.` is the working tree), a kernel file or an environment's Python; `LABEL=SPEC` names
    it. Both sides work in turns on one core, on the same bytes of memory, in fresh pairs of processes, until each cell
    has its verdict or the time is up. What looks changed is confirmed on fresh rounds before it counts.

    Exit codes: 0 no regression, 1 a confirmed one, 2 usage, 3 ambiguous and 6 missing (where --fail-on asks), 4 a
    kernel is wrong or crashed on a side, 5 nothing in common, 70 our fault, 130 interrupted.
    """
    wanted = gate(given)
    # Without the modules: each side looks them up in its own tree, and one of them may lack some.
    return _compare(selected(given, modules=False), wanted, given)


def _compare(config: Config, wanted: Gate, given: dict[str, Any]) -> int:
    from kernelbench.cli.run import alone, progress_of
    from kernelbench.gate.session import measure, prepare
    from kernelbench.gate.sides import opened
    from kernelbench.gate.verdicts import comparison, result
    from kernelbench.report.comparison_pair import Pair
    from kernelbench.report.comparison_words import Named
    from kernelbench.runner.quiet import noting_quiet
    from kernelbench.runner.session import now
    from kernelbench.store import floors
    from kernelbench.store.files import default_output, ensure_writable, write_result
    from kernelbench.store.lock import HostLock

    asked: Path = given["output"] or Path("results")
    is_folder = given["output"] is None or asked.is_dir()
    ensure_writable(asked if is_folder else asked.parent)
    modules = (*config.modules, *given["modules"])
    with HostLock() as lock, opened(given["base"], given["head"], modules, Path.cwd()) as sides:
        alone(lock)
        with progress_of(quiet=given["quiet"]) as progress:
            session = prepare(config, sides, progress)
            kept = floors.NONE if given["no_floors"] else floors.load(session.machine.id)
            budget_s = given["time_budget_s"] or 0.0
            with noting_quiet(given["wait_quiet"], progress.warn) as notes:
                measured = measure(
                    session,
                    wanted.thresholds,
                    progress,
                    time_budget_s=budget_s,
                    private=given["private"],
                    floors=kept.floors.shares(),
                )
        used = {cell.case.id for cell in measured.board.cells if cell.floor}
        found = comparison(measured, wanted.thresholds.default, (*floors.notes(kept, used), *notes))
        output = default_output(asked, now(), session.machine.id) if is_folder else asked
        kept_file = result(measured, found)
        write_result(output, kept_file)
        click.echo(f"wrote {output}", err=True)
        pair = Pair(Named(sides[0].title, sides[1].title, found), kept_file, kept_file)
    return _answer(pair, measured.outcome, wanted)


def _answer(pair: "Pair", outcome: "Outcome", wanted: Gate) -> int:
    """Print what was found; the exit code."""
    named = [pair.named]
    publish(named, (), wanted)
    write_page([pair], (), wanted)
    warn_idle(wanted, named)
    for fault in outcome.faults:
        click.echo(f"error: kernelbench's own code failed in a worker, please report it: {safe_text(fault)}", err=True)
    if outcome.interrupted:
        click.echo("interrupted: verdicts are of what was measured until then", err=True)
        return INTERRUPTED
    if outcome.faults:
        return OUR_FAULT
    refuse_nothing(named)
    return exit_code(named, wanted.fail_on)
