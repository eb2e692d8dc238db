"""What of a configuration one side is asked for: what only the other side has is no mistake there.

A kernel that HEAD adds stands in its configuration and not in BASE's catalogue. Read strictly, the configuration would
be wrong for BASE, and nothing at all would be compared. What neither side has is left in, to be refused as ever.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from msgspec import structs

from kernelbench import sizes
from kernelbench.config import Config, Matrix
from kernelbench.errors import UsageError
from kernelbench.model import Case, Machine, ParamValues
from kernelbench.plan import Plan, expand
from kernelbench.protocol import CatalogueReply


def plans(
    configs: tuple[Config, Config], catalogues: tuple[CatalogueReply, CatalogueReply], machine: Machine
) -> tuple[Plan | str, Plan | str]:
    """What each side is to measure; for one that has nothing of what is asked for, why not, in a line."""
    (base, head), (of_base, of_head) = configs, catalogues
    asked = narrowed(base, of_base, of_head), narrowed(head, of_head, of_base)
    whole = [_plan(structs.replace(one, cases=()), has, machine) for one, has in zip(asked, catalogues, strict=True)]
    ids = [[] if isinstance(one, str) else [case.id for case in _all(one)] for one in whole]
    planned: list[Plan | str] = []
    for side, plan in enumerate(whole):
        globs = asked[side].cases
        if not globs or isinstance(plan, str):
            planned.append(plan)
            continue
        kept = tuple(glob for glob in globs if _matches(glob, ids[side]) or not _matches(glob, ids[1 - side]))
        # Where none is left they are read as they are: the answer then says what matches nothing.
        planned.append(_plan(structs.replace(asked[side], cases=kept or globs), catalogues[side], machine))
    return planned[0], planned[1]


def _plan(config: Config, known: CatalogueReply, machine: Machine) -> Plan | str:
    threads, levels = machine.limits.usable_threads, machine.cpu.isa_levels
    try:
        return expand(config, known.ops, known.variants, usable_threads=threads, isa_levels=levels)
    except UsageError as error:
        return str(error)


def _all(plan: Plan) -> list[Case]:
    return [*plan.cases, *(case for case, _ in plan.skipped)]


def narrowed(config: Config, mine: CatalogueReply, other: CatalogueReply) -> Config:
    """``config`` without the kernels, the sizes of ops and the parameters that ``other`` has and ``mine`` lacks.

    Where no kernel would be left, ``config`` keeps its globs: to plan it then says what is missing.
    """
    lost = _Lost(mine, other)
    blocks = tuple(
        structs.replace(
            block,
            # Without a kernel a block measures nothing, but still counts in what all blocks agree on.
            kernels=lost.globs(block.kernels),
            sizes=lost.sizes(block),
            params=lost.params(block.params),
        )
        for block in config.matrix
    )
    kernels = lost.globs(config.kernels)
    if not (kernels if config.kernels else any(block.kernels for block in blocks)):
        return config
    return structs.replace(config, matrix=blocks, kernels=kernels, params=lost.params(config.params))


class _Lost:
    """What one side lacks and the other has."""

    def __init__(self, mine: CatalogueReply, other: CatalogueReply) -> None:
        self._mine = [variant.name for variant in mine.variants]
        self._other = [variant.name for variant in other.variants]
        self._ops = {op.name for op in other.ops} - {op.name for op in mine.ops}
        self._params = _names(other) - _names(mine)

    def globs(self, globs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(glob for glob in globs if _matches(glob, self._mine) or not _matches(glob, self._other))

    def sizes(self, block: Matrix) -> tuple[int | str, ...]:
        kept: list[int | str] = []
        for entry in block.sizes:
            found = sizes.parse(entry)
            if not any(size.op in self._ops for size in found):
                kept.append(entry)
            elif general := [size.text for size in found if not size.op]:
                # An op's name governs the rest of its entry: what is not the op's stands before it.
                kept.append(",".join(general))
        return tuple(kept)

    def params(self, params: dict[str, ParamValues]) -> dict[str, ParamValues]:
        return {name: values for name, values in params.items() if name not in self._params}


def _names(side: CatalogueReply) -> set[str]:
    """Every parameter that a variant of this side has."""
    return {name for variant in side.variants for name in variant.params}


def _matches(glob: str, names: list[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in names)
