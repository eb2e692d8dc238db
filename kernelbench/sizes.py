"""Problem sizes as people write them, and what they mean to an op.

Accepted forms, several joined by commas:

- ``64``: every dimension of the op is 64;
- ``1x4096x4096``: one number per dimension, in the op's order;
- ``conv2d:1x64x56x56,64x3x3``: for that op only. The prefix governs the rest of the value. After it, a
  group of several numbers that is shorter than the op's dimensions joins the groups that follow until
  every dimension has its number (here 4 + 3 = 7); a lone number that starts a shape still means "all".

Sizes written for an op by name take the place of the general ones for that op. Without a prefix groups
never join, because the same text is read for ops with different numbers of dimensions.
"""

import re

from msgspec import Struct

from kernelbench.errors import UsageError
from kernelbench.model import OpInfo

DEFAULT_SIZES: tuple[int | str, ...] = (256,)
"""Used for an op that the selection gives no size and that declares none of its own."""

LARGEST_DIMENSION = 1 << 40
"""2^40 elements are at least 1 TiB; what lies beyond is a slip of the keyboard."""

ACCEPTED = "64 (every dimension), 1x4096x4096 (one number per dimension) or OP:1x64x56x56,64x3x3 (one op only)"

_PREFIX = re.compile(r"([A-Za-z_]\w*):(.*)", re.DOTALL)


class Size(Struct, frozen=True):
    """One entry as written."""

    text: str
    """For messages."""
    groups: tuple[tuple[int, ...], ...]
    """Numbers of each comma group; always one group without an op."""
    op: str = ""
    """The only op it is meant for; empty: any."""


class Shapes(Struct, frozen=True):
    """What a list of sizes gives one op."""

    fits: tuple[dict[str, int], ...]
    """Named dimensions in the op's order, in the order written, each once."""
    misfits: tuple[tuple[str, str], ...]
    """(size as written, why this op cannot use it)."""


def parse(entry: int | str) -> tuple[Size, ...]:
    """Read one entry of a config list or one ``--sizes`` value.

    Raises UsageError naming the value and the accepted forms for zero, negative or malformed sizes.
    """
    text = str(entry)
    groups = [group.strip() for group in text.split(",")]
    found: list[Size] = []
    for position, group in enumerate(groups):
        prefix = _PREFIX.fullmatch(group)
        if prefix:
            return (*found, *_of_op(prefix[1], [prefix[2].strip(), *groups[position + 1 :]], text))
        found.append(Size(text=group, groups=(_numbers(group, text),)))
    return tuple(found)


def shapes(sizes: tuple[Size, ...], op: OpInfo) -> Shapes:
    """The shapes that ``sizes`` give ``op``: its own where there are any, else the general ones, else its defaults."""
    chosen = [size for size in sizes if size.op == op.name] or [size for size in sizes if not size.op]
    if not chosen:
        entries = [f"{op.name}:{entry}" for entry in op.sizes] or DEFAULT_SIZES
        chosen = [size for entry in entries for size in parse(entry)]
    fits: list[dict[str, int]] = []
    misfits: list[tuple[str, str]] = []
    for size in chosen:
        for written in _joined(size, len(op.dims)):
            group = written * len(op.dims) if len(written) == 1 and op.square else written
            if len(group) != len(op.dims):
                misfits.append(("x".join(map(str, group)), _misfit(group, op)))
            elif (shape := dict(zip(op.dims, group, strict=True))) not in fits:
                fits.append(shape)
    return Shapes(tuple(fits), tuple(dict.fromkeys(misfits)))


def override(entries: tuple[int | str, ...], given: tuple[str, ...]) -> tuple[int | str, ...]:
    """``entries`` of a config with the ``given`` flag values in their place.

    When every given size names its op, the other ops keep the sizes they had.
    """
    named = {size.op for value in given for size in parse(value)}
    if "" in named:
        return given
    kept = tuple(entry for entry in entries if not {size.op for size in parse(entry)} <= named)
    return (*kept, *given)


def _of_op(op: str, groups: list[str], text: str) -> tuple[Size, ...]:
    """The rest of a value after ``op:``; a further prefix starts the next op."""
    numbers: list[tuple[int, ...]] = []
    for position, group in enumerate(groups):
        prefix = _PREFIX.fullmatch(group)
        if prefix and position > 0:
            rest = _of_op(prefix[1], [prefix[2].strip(), *groups[position + 1 :]], text)
            return (Size(f"{op}:{','.join(groups[:position])}", tuple(numbers), op), *rest)
        numbers.append(_numbers(group, text))
    return (Size(f"{op}:{','.join(groups)}", tuple(numbers), op),)


def _numbers(group: str, text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in group.split("x")]
    for part in parts:
        # ASCII digits only: int() would also take "1_000", "+1" and digits of other scripts. The length
        # is looked at first because Python refuses to convert thousands of digits at all.
        readable = re.fullmatch(r"[0-9]+", part) is not None and len(part.lstrip("0")) <= 13
        if not readable or not 1 <= int(part) <= LARGEST_DIMENSION:
            where = "" if part == text else f" in {_short(text)}"
            raise UsageError(
                f"size {_short(part)}{where}: a dimension is a whole number from 1 to {LARGEST_DIMENSION}; "
                f"write {ACCEPTED}"
            )
    return tuple(int(part) for part in parts)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _joined(size: Size, dims: int) -> list[tuple[int, ...]]:
    """The groups of a size, those of an op's own size joined as the module docstring says."""
    if not size.op:
        return list(size.groups)
    whole: list[tuple[int, ...]] = []
    pending: tuple[int, ...] = ()
    for group in size.groups:
        pending += group
        if len(pending) == 1 or len(pending) >= dims:
            whole.append(pending)
            pending = ()
    return [*whole, pending] if pending else whole


def _misfit(group: tuple[int, ...], op: OpInfo) -> str:
    count = len(op.dims)
    if len(group) == 1 and not op.square:
        return f"{op.name} has no equal dimensions: give each its own, {' x '.join(op.dims)}"
    return (
        f"{op.name} has {count} dimension{'s' * (count != 1)} ({' x '.join(op.dims)}), "
        f"the size {'x'.join(map(str, group))} has {len(group)}"
    )
