"""The command line. Each command is one file here, imported only when it is called.

``kernelbench --help`` must stay instant, so this module imports click and nothing heavier; the table
below carries every command's one-line help. This room alone knows click, exit codes and the terminal.
"""

import importlib
import sys
from collections.abc import Sequence

import click

from kernelbench import __version__
from kernelbench.errors import KernelbenchError

#: Command name -> (module, what it does). A command's module offers it as ``command``.
COMMANDS = {
    "info": ("kernelbench.cli.info", "Show the machine: CPU, caches, limits, libraries."),
    "ceilings": ("kernelbench.cli.ceilings", "Measure what this machine can do: arithmetic, bandwidth, latency."),
    "list": ("kernelbench.cli.list", "List every kernel variant that can be run."),
    "init": ("kernelbench.cli.init", "Write a kernel file to start from, and its configuration."),
    "run": ("kernelbench.cli.run", "Measure ceilings and kernels, check them, write a report."),
    "tune": ("kernelbench.cli.tune", "Find the block sizes of a kernel that are fastest here."),
    "report": ("kernelbench.cli.report", "Show a result: table, roofline, HTML, CSV, Markdown, JSON."),
    "ab": ("kernelbench.cli.ab", "Measure two versions in turns: did HEAD become slower than BASE?"),
    "calibrate": ("kernelbench.cli.calibrate", "Prove the gate on this host: false alarms, what it finds, floors."),
    "compare": ("kernelbench.cli.compare", "Compare results and say what became faster or slower."),
    "profile": ("kernelbench.cli.profile", "Show one kernel in depth: what bounds it, with the evidence."),
    "inspect": ("kernelbench.cli.inspect", "Show what the compiler made of a kernel: its hot loop, counted."),
    "baseline": ("kernelbench.cli.baseline", "Keep results by name, to compare later ones with."),
}

INTERRUPTED = 130
OUR_FAULT = 70


class LazyGroup(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return its command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command named when there is no such one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Commands: {', '.join(COMMANDS)}."
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command table without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"auto_envvar_prefix": "KERNELBENCH", "help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="kernelbench")
def cli() -> None:
    """How close do compute kernels run to what this machine can do, and what holds them back?

    Start with `kernelbench run --quick`. Every option is also an environment variable:
    `KERNELBENCH_RUN_SEED=1` is `kernelbench run --seed 1`.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Entry point: run a command and exit with DESIGN's codes (0 fine, 2 usage, 70 our fault, 130 interrupted)."""
    sys.exit(_exit_code(args))


def _exit_code(args: Sequence[str] | None) -> int:
    try:
        result = cli.main(args=args, prog_name="kernelbench", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except KernelbenchError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) left: not an error, and nothing more can be written.
        sys.stderr.close()
        return 0
    except Exception:
        import traceback

        click.echo(traceback.format_exc(), err=True)
        click.echo("error: this is a fault of kernelbench itself; please report it with the lines above", err=True)
        return OUR_FAULT
