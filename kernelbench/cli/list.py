"""`kernelbench list`: every kernel variant that can be run here, and why others cannot."""

import textwrap
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kernelbench.model import OpInfo, ParamValues, VariantInfo
    from kernelbench.protocol import CatalogueReply

WIDTH = 80


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option("-m", "--module", "modules", multiple=True, metavar="FILE.py", help="Kernels of your own; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: {ops, variants}.")
def command(globs: tuple[str, ...], modules: tuple[str, ...], as_json: bool) -> int:
    """List every kernel variant that can be run.

    GLOB narrows the list: 'matmul/*', '*/naive'.
    """
    import os

    from kernelbench.cli._outcome import FAILED_KERNEL, warn_left_out
    from kernelbench.runner.library import left_out, list_catalogue

    known = list_catalogue(tuple(os.path.abspath(module) for module in modules))
    broken = tuple(left_out(*one) for one in known.broken_modules)
    warn_left_out(broken)
    chosen = select(known, globs)
    click.echo(_json(chosen) if as_json else render(chosen))
    return FAILED_KERNEL if broken else 0


def select(known: "CatalogueReply", globs: tuple[str, ...]) -> "CatalogueReply":
    """The variants that match, in ladder order, and their ops. Raises ``UsageError`` for a glob without a match."""
    from msgspec.structs import replace

    from kernelbench.config_check import did_you_mean
    from kernelbench.errors import UsageError
    from kernelbench.model import STYLES

    names = [variant.name for variant in known.variants]
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in names):
            raise UsageError(f"no kernel matches {glob!r}; {did_you_mean(glob, names)}")
    variants = [v for v in known.variants if not globs or any(fnmatchcase(v.name, glob) for glob in globs)]
    variants.sort(key=lambda variant: STYLES.index(variant.style))
    ops = tuple(op for op in known.ops if any(variant.op == op.name for variant in variants))
    return replace(known, ops=ops, variants=tuple(v for op in ops for v in variants if v.op == op.name))


def render(known: "CatalogueReply") -> str:
    """One block an op, one entry a variant, at most 80 columns."""
    blocks = []
    for op in known.ops:
        lines = textwrap.wrap(f"{op.name}: {op.summary}", WIDTH, subsequent_indent="  ")
        if op.params:
            lines += _note(f"parameters: {_values(op.params)}", " " * 4)
        if op.sizes:
            lines += _note(f"sizes by default ({' x '.join(op.dims)}): {', '.join(op.sizes)}", " " * 4)
        for variant in known.variants:
            if variant.op == op.name:
                lines += _entry(variant, op)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _values(params: "dict[str, ParamValues]") -> str:
    """ "causal=0,1; group=32,128": as --param takes them."""
    return "; ".join(f"{name}={','.join(map(str, values))}" for name, values in params.items())


def _note(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _entry(variant: "VariantInfo", op: "OpInfo") -> list[str]:
    facts = [
        variant.style,
        " ".join(variant.dtypes),
        "all threads" if variant.parallel else "1 thread",
        *(["fast-math"] if variant.fastmath else []),
        *([] if variant.compiled else ["called from Python"]),
    ]
    lines = textwrap.wrap(
        f"{variant.name:<24} {', '.join(facts)}", WIDTH, initial_indent="  ", subsequent_indent=" " * 27
    )
    own = {name: values for name, values in variant.params.items() if name not in op.params}
    notes = [variant.summary, *([f"parameters: {_values(own)}"] if own else [])]
    if variant.unavailable:
        notes.append(f"not available here: {variant.unavailable}")
    for note in notes:
        lines += textwrap.wrap(note, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return lines


def _json(known: "CatalogueReply") -> str:
    import msgspec

    data = {"ops": known.ops, "variants": known.variants}
    return msgspec.json.format(msgspec.json.encode(data), indent=1).decode()
