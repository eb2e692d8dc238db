"""Which variants a configuration names: globs of its matrices, narrowed and extended by --kernel."""

from fnmatch import fnmatchcase
from pathlib import PurePath

from msgspec.structs import replace

from kernelbench import params, sizes
from kernelbench.config import Config, Matrix
from kernelbench.config_check import did_you_mean
from kernelbench.errors import UsageError
from kernelbench.model import OpInfo, VariantInfo

Block = tuple[Matrix, list[VariantInfo]]
"""How to measure, and what."""


def blocks_of(config: Config, variants: tuple[VariantInfo, ...]) -> list[Block]:
    """Every matrix with its variants, narrowed by ``config.kernels``.

    Variants that ``config.kernels`` names and no matrix does form a block of their own, measured as all
    matrices agree; so do those of ``config.extra_modules``. Raises UsageError for a glob without a match.
    """
    names = [variant.name for variant in variants]
    named = {name for glob in config.kernels for name in _matching(glob, names)}
    wanted = named if config.kernels else set(names)
    inside = [{name for glob in block.kernels for name in _matching(glob, names)} & wanted for block in config.matrix]
    blocks = [
        (block, [variant for variant in variants if variant.name in chosen])
        for block, chosen in zip(config.matrix, inside, strict=True)
        if chosen
    ]
    listed = set().union(*inside)
    # A user's file is known by its path, or by the name it is imported under.
    files = {place for path in config.extra_modules for place in (path, PurePath(path).stem)}
    extra = {variant.name for variant in variants if variant.module in files} & wanted
    beyond = [variant for variant in variants if variant.name in (named | extra) - listed]
    if beyond:
        blocks.append((_agreed(config.matrix), beyond))
    return blocks


def _agreed(blocks: tuple[Matrix, ...]) -> Matrix:
    """How to measure variants that no block lists: as all blocks agree, else by default."""
    first, default = blocks[0], Matrix()
    same = {
        name: getattr(first if all(getattr(block, name) == getattr(first, name) for block in blocks) else default, name)
        for name in ("dtypes", "params", "threads", "isa", "cache")
    }
    common = tuple(size for size in first.sizes if all(size in block.sizes for block in blocks))
    return replace(default, sizes=common, **same)


def _matching(glob: str, names: list[str]) -> list[str]:
    matched = [name for name in names if fnmatchcase(name, glob)]
    if not matched:
        globs = dict.fromkeys(f"{name.split('/')[0]}/*" for name in names)
        raise UsageError(f"no kernel matches {glob!r}; {did_you_mean(glob, [*globs, *names])}")
    return matched


def check_params(config: Config, blocks: list[Block], variants: tuple[VariantInfo, ...]) -> None:
    """Raises UsageError for a parameter of --param that no selected variant has, of a matrix that none at all has.

    As with sizes, a configuration narrowed by --kernel keeps its parameters.
    """
    params.check_names(config.params, (variant for _, chosen in blocks for variant in chosen), "no selected kernel")
    for block, _ in blocks:
        params.check_names(block.params, variants, "no kernel")


def check_size_prefixes(blocks: list[Block], ops: tuple[OpInfo, ...]) -> None:
    """Raises UsageError for a size that names an op which does not exist.

    An op that exists and is not selected is fine: a configuration narrowed by --kernel keeps its sizes.
    """
    known = [op.name for op in ops]
    for block, _ in blocks:
        for size in (size for entry in block.sizes for size in sizes.parse(entry)):
            if size.op and size.op not in known:
                raise UsageError(f"size {size.text!r}: no op is named {size.op!r}; {did_you_mean(size.op, known)}")


def why_nothing(blocks: list[Block]) -> str:
    """Why the selection is empty: the only filter that can empty it silently is the dtype."""
    asked = dict.fromkeys(dtype for block, _ in blocks for dtype in block.dtypes)
    had = dict.fromkeys(dtype for _, variants in blocks for variant in variants for dtype in variant.dtypes)
    return (
        f"nothing selected: no selected kernel has dtype {' or '.join(asked)}; "
        f"they have {', '.join(had) or 'none at all'}; change the dtypes or the kernels"
    )
