"""Config x registry x machine -> the cases to measure, and those that are not, each with its reason.

Pure: the registry and the machine arrive as data. ``expand`` decides what exists, ``admit`` what fits.
"""

import math
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice, product

from msgspec import Struct
from msgspec.structs import replace

from kernelbench import params, sizes
from kernelbench.config import Config, Matrix
from kernelbench.config_check import did_you_mean
from kernelbench.errors import UsageError, WorkerError
from kernelbench.fitness import interpreter_problem, memory_problem
from kernelbench.model import (
    CACHE_STATES,
    DTYPE_BYTES,
    ISA_LEVELS,
    STYLES,
    Case,
    IsaLevel,
    OpInfo,
    Param,
    VariantInfo,
    case_id,
)
from kernelbench.protocol import CaseInfo
from kernelbench.selection import blocks_of, check_params, check_size_prefixes, why_nothing


class Plan(Struct, frozen=True):
    """What a run will do. Both tuples are in the order of reports: op, shape, params, style, dtype, threads."""

    cases: tuple[Case, ...]
    """To be measured, each id once."""
    skipped: tuple[tuple[Case, str], ...]
    """Not to be measured, with the reason. A size that an op cannot use has an empty shape."""


class _Machine(Struct, frozen=True):
    usable_threads: int
    isa_levels: tuple[IsaLevel, ...]

    def isa_problem(self, name: str) -> str:
        """Why code of this level cannot run here; empty when it can. Raises UsageError for no level at all."""
        for level in self.isa_levels:
            if level.name == name:
                return "" if level.usable else f"{name} is not usable here: {level.reason}"
        if name == "native":
            return ""
        here = [level.name for level in self.isa_levels]
        if any(name in levels for levels in ISA_LEVELS.values()):
            # A configuration that lists the levels of several architectures must run on each of them.
            return f"{name} belongs to another architecture; levels here: {', '.join(here)}"
        raise UsageError(f"isa {name!r} is unknown; {did_you_mean(name, ('native', *here))}")

    def counts(self, threads: tuple[int | str, ...]) -> tuple[int, ...]:
        """Thread counts in rising order. Raises UsageError for more than are usable."""
        counts = {self.usable_threads if count == "all" else int(count) for count in threads}
        if max(counts) > self.usable_threads:
            raise UsageError(
                f"threads {max(counts)} asked for, but this process may use {self.usable_threads} "
                f'(affinity and CPU quota); give 1 to {self.usable_threads}, or "all"'
            )
        return tuple(sorted(counts))


_Candidate = tuple[Case, str]


def expand(
    config: Config,
    ops: tuple[OpInfo, ...],
    variants: tuple[VariantInfo, ...],
    *,
    usable_threads: int,
    isa_levels: tuple[IsaLevel, ...],
) -> Plan:
    """Every case that ``config`` asks for. Raises UsageError for what names nothing, and for an empty selection."""
    machine = _Machine(usable_threads, isa_levels)
    by_name = {op.name: op for op in ops}
    blocks = blocks_of(config, variants)
    check_size_prefixes(blocks, ops)
    check_params(config, blocks, variants)
    found: dict[str, _Candidate] = {}
    for block, selected in blocks:
        for variant in selected:
            for case, reason in _of_variant(block, config, variant, by_name[variant.op], machine):
                # A case that one block can measure is not skipped because another could not.
                if case.id not in found or (found[case.id][1] and not reason):
                    found[case.id] = (case, reason)
    if not found:
        raise UsageError(why_nothing(blocks))
    candidates = _narrowed(tuple(found.values()), config.cases)
    candidates = _in_report_order(candidates, ops, variants)
    return Plan(
        tuple(case for case, reason in candidates if not reason),
        tuple((case, reason) for case, reason in candidates if reason),
    )


def admit(
    plan: Plan,
    infos: tuple[CaseInfo, ...],
    variants: tuple[VariantInfo, ...],
    *,
    memory_bytes: int,
    python_cap_s: float,
) -> Plan:
    """``plan`` without the cases that do not fit in ``memory_bytes`` or would take an interpreter too long.

    Raises WorkerError when ``infos`` lacks a case of the plan.
    """
    by_id = {info.case_id: info for info in infos}
    by_name = {variant.name: variant for variant in variants}
    cases: list[Case] = []
    skipped = list(plan.skipped)
    for case in plan.cases:
        if case.id not in by_id:
            raise WorkerError(f"the worker described {len(by_id)} cases, but not {case.id}")
        info = by_id[case.id]
        reason = info.skip or memory_problem(case, info, memory_bytes)
        reason = reason or interpreter_problem(case, info, by_name[case.variant], python_cap_s)
        if reason:
            skipped.append((case, reason))
        else:
            cases.append(case)
    return Plan(tuple(cases), tuple(skipped))


def _of_variant(
    block: Matrix, config: Config, variant: VariantInfo, op: OpInfo, machine: _Machine
) -> Iterator[_Candidate]:
    """The cases of one variant in one block."""
    dtypes = [dtype for dtype in variant.dtypes if not block.dtypes or dtype in block.dtypes]
    if not dtypes:
        return
    shapes = sizes.shapes(tuple(size for entry in block.sizes for size in sizes.parse(entry)), op)
    counts, why_no_count = _threads_of(variant, machine.counts(block.threads))
    levels, why_no_level = _isa_of(variant, block.isa)
    settings = params.combinations(variant, block.params, config.params)
    for text, reason in shapes.misfits:
        # Once for a variant: the reason is the same at every dtype and thread count.
        case = _case(variant, dtypes[0], {}, {}, counts[0], "native", "warm")
        yield replace(case, id=f"{variant.name}/{dtypes[0]}/{text}/t={counts[0]}"), reason
    cases = (
        _case(variant, dtype, shape, chosen, threads, isa, cache)
        for shape, chosen, dtype, threads, isa, cache in product(
            shapes.fits, settings, dtypes, counts, levels, block.cache
        )
    )
    if why_no_count or why_no_level:
        # Nothing was asked for that this variant could do: one line says so, not one for every size.
        yield from ((case, variant.unavailable or why_no_count or why_no_level) for case in islice(cases, 1))
        return
    for case in cases:
        yield case, machine.isa_problem(case.isa) or variant.unavailable


def _threads_of(variant: VariantInfo, counts: tuple[int, ...]) -> tuple[tuple[int, ...], str]:
    """Thread counts at which the variant exists, and why it is skipped when none of them was asked for."""
    if variant.parallel or 1 in counts:
        return (counts if variant.parallel else (1,)), ""
    asked = ", ".join(map(str, counts))
    return (1,), f"runs on one thread only, and only threads {asked} was asked for; add 1 to the threads"


def _isa_of(variant: VariantInfo, isa: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The same for instruction-set levels: only code that we compile can be held to one."""
    if variant.compiled and not variant.foreign and variant.style != "library":
        return tuple(dict.fromkeys(isa)), ""
    if "native" in isa:
        return ("native",), ""
    return ("native",), f"its instructions are not ours to choose, and only isa {', '.join(isa)} was asked for"


def _case(
    variant: VariantInfo,
    dtype: str,
    shape: dict[str, int],
    chosen: dict[str, Param],
    threads: int,
    isa: str,
    cache: str,
) -> Case:
    return Case(
        id=case_id(variant.name, dtype, shape, threads, params=chosen, isa=isa, cache=cache),
        op=variant.op,
        variant=variant.name,
        style=variant.style,
        dtype=dtype,
        shape=shape,
        threads=threads,
        isa=isa,
        cache=cache,
        params=chosen,
        dtypes=variant.types,
    )


def _narrowed(candidates: tuple[_Candidate, ...], globs: tuple[str, ...]) -> tuple[_Candidate, ...]:
    ids = [case.id for case, _ in candidates]
    wanted: set[str] = set()
    for glob in globs:
        matched = [id for id in ids if fnmatchcase(id, glob)]
        if not matched:
            raise UsageError(f"no case of this selection matches {glob!r}; {did_you_mean(glob, ids)}")
        wanted.update(matched)
    return tuple(candidate for candidate in candidates if candidate[0].id in wanted) if globs else candidates


def _in_report_order(
    candidates: tuple[_Candidate, ...], op_infos: tuple[OpInfo, ...], variant_infos: tuple[VariantInfo, ...]
) -> tuple[_Candidate, ...]:
    ops = {op.name: index for index, op in enumerate(op_infos)}
    shared = {op.name: op.params for op in op_infos}
    variants = {variant.name: index for index, variant in enumerate(variant_infos)}
    dtypes = tuple(DTYPE_BYTES)

    def place(candidate: _Candidate) -> tuple[object, ...]:
        case = candidate[0]
        of_op = {name: value for name, value in case.params.items() if name in shared[case.op]}
        dims = tuple(case.shape.values())
        return (
            ops[case.op],
            # Sizes that the op cannot use have no shape and come last.
            not dims,
            math.prod(dims),
            dims,
            params.order(of_op),
            STYLES.index(case.style),
            variants[case.variant],
            params.order(case.params),
            dtypes.index(case.dtype),
            case.threads,
            case.isa != "native",
            case.isa,
            CACHE_STATES.index(case.cache),
        )

    return tuple(sorted(candidates, key=place))
