"""`kernelbench init`: a kernel file and a configuration to start from, and what to type next."""

import shlex
from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Folder to write into [this one].",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
def command(name: str, folder: Path, force: bool) -> None:
    """Write NAME.py, kernels of your own to start from, and NAME.toml, what to measure of them.

    Both run as they are; the next commands are printed.
    """
    from kernelbench import starter
    from kernelbench.runner.library import list_catalogue

    starter.check_name(name, folder)
    starter.check_op(name, [op.name for op in list_catalogue(()).ops])
    module, config = starter.write(name, folder, force=force)
    click.echo(_next_steps(name, module, config))


def _next_steps(name: str, module: Path, config: Path) -> str:
    """What was written, and commands that run as they stand here."""
    file, toml = shlex.quote(str(module)), shlex.quote(str(config))
    return f"""\
wrote {module}: two ways to compute one thing, ready to run
wrote {config}: what to measure of them, and what must hold

Next:
  kernelbench run -m {file}
      measures both (about half a minute) and writes a page into results/
  set FASTMATH = True in {module}, where it says EDIT, and run it again
  kernelbench report
      shows the newest result; --open shows its page in the browser
  kernelbench run {toml}
      more sizes, and rules that must hold
"""
