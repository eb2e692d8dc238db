"""`kernelbench inspect`: what the compiler really did with a kernel."""

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from kernelbench.errors import UsageError
from kernelbench.report.text import safe_text

if TYPE_CHECKING:
    from kernelbench.model.inspection import Inspection
    from kernelbench.runner.inspecting import Asked, Failure

FAILED_KERNEL = 4
PLAIN_WIDTH = 100
"""What is not a terminal has no width of its own; wide enough for an instruction and what it does."""


@click.command(name="inspect")
@click.argument("kernel", metavar="KERNEL")
@click.option("--against", metavar="OTHER", help="A second variant, set beside the first.")
@click.option("--dtype", metavar="DTYPE", default="", help="Number type [f32, or the kernel's first].")
@click.option("--isa", metavar="LIST", default="native", help="Instruction sets, side by side: native,avx2 [native].")
@click.option("-s", "--size", metavar="SIZE", default="", help="512, 1x4096x4096 [the largest near the core].")
@click.option("-p", "--param", "params", metavar="NAME=VALUE", multiple=True, help="Value of a parameter; repeatable.")
@click.option("-t", "--threads", type=click.IntRange(min=1), default=1, help="For a parallel kernel [1].")
@click.option("-m", "--module", "modules", multiple=True, metavar="FILE.py", help="Kernels of your own; repeatable.")
@click.option("--seed", type=int, default=0, help="Seed of operands.")
@click.option("--no-time", is_flag=True, help="Do not time the kernel.")
@click.option("--no-listing", is_flag=True, help="Leave out the loop's lines.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: {inspections, failures}.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(**given: Any) -> int:
    """Show what the compiler made of KERNEL: its hot loop, counted.

    The kernel is compiled anew; a copy of its code counts how often each block runs in one call, which proves the hot
    loop and its iterations. Shown are the instructions by kind and width, the work and bytes of an iteration, whether
    it is vectorized and why, and cycles per iteration as measured, by OSACA (extra `asm`) and by its longest chain.

    With --against, or several --isa, the loops are set beside each other, and two are compared line by line.

    Exit codes: 0 fine, 2 usage, 4 the kernel is wrong or crashed, 70 our fault, 130 interrupted.
    """
    from kernelbench.runner.inspecting import Failure, inspect

    asked = _asked(given)
    found = inspect(asked, lambda text: None if given["quiet"] else click.echo(safe_text(text), err=True))
    failures = [one for one in found if isinstance(one, Failure)]
    good = [one for one in found if not isinstance(one, Failure)]
    if given["as_json"]:
        click.echo(_json(good, failures))
    else:
        _print(good, listing=not given["no_listing"])
    for one in failures:
        click.echo(f"error: {safe_text(one.case.id)}: {safe_text(one.message)}", err=True)
    return FAILED_KERNEL if failures else 0


def _asked(given: dict[str, Any]) -> "Asked":
    from kernelbench.runner.inspecting import Asked

    isa = tuple(dict.fromkeys(word.strip() for word in given["isa"].split(",") if word.strip()))
    if not isa:
        raise UsageError(f"--isa {given['isa']!r} names no level; give native, or levels such as avx512,avx2")
    if "," in given["size"]:
        raise UsageError(f"--size {given['size']!r} names several sizes; inspect takes one")
    kernels = (given["kernel"], given["against"]) if given["against"] else (given["kernel"],)
    return Asked(
        kernels=kernels,
        dtype=given["dtype"],
        isa=isa,
        size=given["size"],
        params=given["params"],
        modules=given["modules"],
        threads=given["threads"],
        seed=given["seed"],
        timed=not given["no_time"],
    )


def _print(found: "Sequence[Inspection]", *, listing: bool) -> None:
    from kernelbench.report.inspection import render
    from kernelbench.report.inspection_diff import loops_diff, side_by_side, summary

    width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else PLAIN_WIDTH
    for one in found:
        click.echo(render(one, width=width, listing=listing and len(found) == 1))
    if len(found) > 1:
        click.echo(side_by_side(found, width=width))
    if len(found) == 2:
        click.echo("\n" + loops_diff(found[0], found[1], width=width))
        if text := summary(found[0], found[1]):
            click.echo("\n" + text)


def _json(found: "Sequence[Inspection]", failures: "Sequence[Failure]") -> str:
    import msgspec

    data = {"inspections": [_with_derived(one) for one in found], "failures": failures}
    return msgspec.json.format(msgspec.json.encode(data), indent=1).decode()


def _with_derived(one: "Inspection") -> dict[str, Any]:
    """Its fields, and what follows from them: cycles per iteration, FLOP per byte."""
    import msgspec

    derived = {"cycles": one.cycles, "per_byte": one.mix.per_byte}
    plain: dict[str, Any] = msgspec.to_builtins(one)
    return {**plain, **{name: value for name, value in derived.items() if value is not msgspec.UNSET}}
