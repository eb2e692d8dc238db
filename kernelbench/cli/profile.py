"""`kernelbench profile`: one kernel in depth: what bounds it, how far from its roof, and what a change would buy."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelbench.cli._quiet import wait_quiet_option
from kernelbench.errors import UsageError

if TYPE_CHECKING:
    from kernelbench.model import Result
    from kernelbench.profiling import Request

INTERRUPTED = 130

PLAIN_WIDTH = 80
"""What is not a terminal has no width of its own."""


@click.command(name="profile")
@click.argument("kernel", metavar="KERNEL")
@click.option(
    "-s", "--size", "--sizes", "size", metavar="SIZE", default="", help="512 or 1x4096x4096  [the op's first]."
)
@click.option("--dtype", metavar="TYPE", default="", help="Number type  [f32, else the kernel's first].")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of a parameter; repeatable.")
@click.option("-t", "--threads", metavar="COUNT", default="1", show_default=True, help="Threads: a count, or all.")
@click.option("--isa", metavar="LEVEL", default="native", show_default=True, help="Instruction set to compile for.")
@click.option("-m", "--module", "modules", multiple=True, metavar="FILE.py", help="Kernels of your own; repeatable.")
@click.option("--quick", is_flag=True, help="Fewer rounds and sizes: a look.")
@click.option("--seed", type=int, default=0, help="Seed of operands.")
@click.option("--json", "as_json", is_flag=True, help="Print the profile as JSON and nothing else.")
@click.option("--html", metavar="PAGE", help="Also write a page with the charts.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Result file [results/<time>.json]."
)
@wait_quiet_option
@click.option("--quiet", is_flag=True, help="No progress.")
def command(**given: Any) -> int:
    """Measure one KERNEL in depth: what bounds it, and the evidence.

    KERNEL is a variant's full name (`kernelbench list`). It is timed warm, cold and on untouched pages, at sizes around
    the ends of the caches, on more threads and at lower instruction sets. A bound is named only where a measured change
    supports it: a smaller working set, more dependency chains, one thread, an empty body.

    Exit codes: 0 fine, 2 usage, 4 the kernel is wrong or crashed, 70 our fault, 130 interrupted.
    """
    from kernelbench.store.files import ensure_writable

    request = _request(given)
    asked: Path = given["output"] or Path("results")
    is_folder = given["output"] is None or asked.is_dir()
    ensure_writable(asked if is_folder else asked.parent)
    _check_page(given["html"], given["output"])
    _check_named(request)
    result = _measured(request, given)
    output = _write(result, asked, given["html"], is_folder=is_folder)
    _print(result, as_json=given["as_json"])
    if result.interrupted:
        click.echo(f"interrupted: {output} holds what was done", err=True)
        return INTERRUPTED
    return 0


def _request(given: dict[str, Any]) -> "Request":
    """Raises UsageError for several values where a profile takes one, and for a result file in place of a kernel."""
    from kernelbench.profiling import Request

    kernel: str = given["kernel"]
    if kernel.endswith((".json", ".py")):
        other = f"--module {kernel} and name one of its kernels" if kernel.endswith(".py") else "`kernelbench report`"
        raise UsageError(f"{kernel!r} is a file, not a kernel; use {other}, or name a kernel of `kernelbench list`")
    for option in ("size", "dtype", "isa", "threads"):
        if "," in given[option] and not (option == "size" and ":" in given["size"]):
            raise UsageError(f"--{option} {given[option]!r} names several; a profile takes one (`run` takes lists)")
    return Request(
        kernel=kernel,
        size=given["size"],
        dtype=given["dtype"],
        threads=_threads(given["threads"]),
        isa=given["isa"],
        modules=tuple(os.path.abspath(module) for module in given["modules"]),
        params=given["params"],
        effort="quick" if given["quick"] else "full",
        seed=given["seed"],
    )


def _threads(given: str) -> int:
    """A count, "all" being every usable thread. Raises UsageError for what is no count."""
    if given == "all":
        from kernelbench.machine import detect

        return detect().limits.usable_threads
    if not (given.isascii() and given.isdigit() and int(given[:9]) > 0 and len(given) < 10):
        raise UsageError(f'--threads {given!r} is no count; give a whole number from 1, or "all"')
    return int(given)


def _check_named(request: "Request") -> None:
    """Nobody waits for a quiet host to be told of a slip of the keyboard. Raises UsageError."""
    from kernelbench.profiling.selecting import configuration
    from kernelbench.runner.choosing import one_variant
    from kernelbench.runner.library import list_catalogue

    known = list_catalogue(configuration(request).modules)
    if known.broken_modules:
        # The kernel may be of a module that could not be imported: that is the fault to name, not the kernel.
        path, why = known.broken_modules[0]
        raise UsageError(f"{path}: cannot be imported: {why}; correct it or leave it out")
    one_variant(request.kernel, known, "profile")


def _check_page(html: str | None, output: Path | None) -> None:
    """Prove that the page can be written, before anything is measured. Raises UsageError."""
    from kernelbench.cli._documents import check
    from kernelbench.store.files import ensure_writable

    if html is not None:
        check({"html": html}, (output,) if output else ())
        ensure_writable(Path(html).parent)


def _measured(request: "Request", given: dict[str, Any]) -> "Result":
    from msgspec.structs import replace

    from kernelbench.cli.run import alone, progress_of
    from kernelbench.profiling import profile
    from kernelbench.runner.quiet import noting_quiet
    from kernelbench.store.lock import HostLock

    with HostLock() as lock, progress_of(quiet=given["quiet"]) as progress:
        alone(lock)
        with noting_quiet(given["wait_quiet"], progress.warn) as notes:
            result = profile(request, progress)
    return replace(result, notes=(*result.notes, *notes))


def _write(result: "Result", asked: Path, html: str | None, *, is_folder: bool) -> Path:
    """The result, and the page where one is wanted. Raises StoreError when the disk refuses."""
    from kernelbench.store.files import default_output, write_result, write_text_atomic

    output = default_output(asked, result.created, next(iter(result.machines))) if is_folder else asked
    write_result(output, result)
    click.echo(f"wrote {output}", err=True)
    if html is not None:
        from kernelbench.report.profile_html import render

        write_text_atomic(Path(html), render(result))
        click.echo(f"wrote {html}", err=True)
    return output


def _print(result: "Result", *, as_json: bool) -> None:
    if as_json:
        from kernelbench.report import profile_json

        click.echo(profile_json.render(result), nl=False)
        return
    show(result)


def show(result: "Result") -> None:
    """The profile on stdout, in the terminal's width."""
    from kernelbench.report.profile_terminal import render

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns if terminal else PLAIN_WIDTH
    click.echo(render(result, width=width, colour=terminal and not os.environ.get("NO_COLOR")), nl=False)
