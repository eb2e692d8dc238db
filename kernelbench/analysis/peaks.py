"""The compute ceiling that judges a case: by its number type, instruction mix, threads and instruction set."""

from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.ladder import usable, value_of
from kernelbench.analysis.once import asked_once
from kernelbench.model import ISA_LEVELS, Case, Ceiling, Work

CLEARLY_ABOVE = 1.02
"""Ceilings closer than this are the same limit, measured twice: of them the higher instruction set is named."""

_ISA_WORDS = {
    "scalar": "scalar",
    "sse2": "SSE2",
    "sse4.2": "SSE4.2",
    "avx2": "AVX2",
    "avx512": "AVX-512",
    "neon": "NEON",
    "sve": "SVE",
}
_MIX_WORDS = {"fma": "FMA", "add": "add", "fma_add": "FMA+add", "dot": "dot product"}

_STAND_INS = {"fma_add": "fma", "add": "fma", "fma": "fma_add"}
"""The mix that judges in place of one that was not measured."""


class ComputeRoof(Struct, frozen=True, omit_defaults=True):
    """The compute ceiling that applies to a case."""

    flop_per_s: float
    """FLOP/s, or OP/s for integers."""
    name: str
    """"f32 AVX-512 FMA 1 thread"."""
    ceiling: str
    """Id of the ceiling."""
    isa: str = ""
    """Instruction-set level of the ceiling; empty when it names none."""
    stands_in: str = ""
    """Why another mix than the kernel's judges it; empty when its own does."""


def compute_roof(case: Case, work: Work, ceilings: Sequence[Ceiling]) -> ComputeRoof | str:
    """The compute roof of a case, or why it has none. ``ceilings``: those of its machine and device.

    Code of one instruction-set level may use all lower ones: the highest is named unless a lower one is
    more than 2% faster. 8-bit and bf16 products are judged by the dot-product instructions, bf16 without
    them by the f32 FMA it is widened to. A mix that was not measured is judged by its stand-in.
    """
    if isinstance(work.flop, UnsetType) or work.flop <= 0:
        return "no compute roof: the work model counts no FLOP"
    if isinstance(work.mix, UnsetType):
        return "no compute roof: the kernel declares no instruction mix"
    wanted = _instructions(case.dtype, work.mix)
    found = _first(ceilings, wanted, case.threads, case.isa)
    if isinstance(found, ComputeRoof):
        return found
    dtype, mix = wanted[0]
    return f"no compute roof: no ceiling of {dtype} {mix}, isa {case.isa}, {threads_text(case.threads)}"


def higher_roof(case: Case, work: Work, ceilings: Sequence[Ceiling], own: ComputeRoof) -> ComputeRoof | UnsetType:
    """What the machine's best instruction set would allow; absent when that is not clearly more than ``own``."""
    mix = "" if isinstance(work.mix, UnsetType) else work.mix
    best = _first(ceilings, _instructions(case.dtype, mix), case.threads, UNSET)
    clearly = isinstance(best, ComputeRoof) and best.flop_per_s > CLEARLY_ABOVE * own.flop_per_s
    return best if clearly else UNSET


def fma_add_rate(case: Case, ceilings: Sequence[Ceiling]) -> float:
    """FLOP/s with the FMA and the separate add pipes both busy, at the case's level; 0 when it was not measured."""
    return max(map(value_of, _matching(ceilings, (case.dtype, "fma_add"), case.threads, case.isa)), default=0.0)


def may_use(isa: str, level: str | UnsetType) -> bool:
    """Whether code compiled for ``isa`` may contain the instructions of ``level``; native may contain all."""
    if isa in ("native", level):
        return True
    return any(level in levels[: levels.index(isa)] for levels in ISA_LEVELS.values() if isa in levels)


def threads_text(threads: int) -> str:
    """ "1 thread", "2 threads"."""
    return f"{threads} thread" + ("s" if threads != 1 else "")


def isa_words(isa: str | UnsetType) -> str:
    """ "AVX-512" for "avx512"; empty when there is none."""
    return "" if isinstance(isa, UnsetType) else _ISA_WORDS.get(isa, isa)


def compute_name(ceiling: Ceiling) -> str:
    """A compute ceiling in words: "f32 AVX-512 FMA 1 thread"."""
    mix = "" if isinstance(ceiling.mix, UnsetType) else _MIX_WORDS.get(ceiling.mix, ceiling.mix)
    dtype = "" if isinstance(ceiling.dtype, UnsetType) else ceiling.dtype
    return " ".join(word for word in (dtype, isa_words(ceiling.isa), mix, threads_text(ceiling.threads)) if word)


def _instructions(dtype: str, mix: str) -> tuple[tuple[str, str], ...]:
    """(number type, mix) that may judge the work, best first."""
    if dtype == "i8":
        return (("i8", "dot"),)
    if dtype == "bf16":
        return (("bf16", "dot"), ("f32", "fma"))
    if mix == "dot":
        # Operands of f32 or f64 that are multiplied as integers of 8 bits (weights and activations quantized).
        return (("i8", "dot"),)
    return ((dtype, mix), (dtype, _STAND_INS[mix])) if mix in _STAND_INS else ((dtype, mix),)


@asked_once
def _first(
    ceilings: Iterable[Ceiling], wanted: tuple[tuple[str, str], ...], threads: int, isa: str | UnsetType
) -> ComputeRoof | UnsetType:
    """The roof by the first of ``wanted`` that was measured for code of level ``isa``; UNSET: for any code."""
    for kind in wanted:
        matching = _matching(ceilings, kind, threads, isa)
        if matching:
            best = named(matching)
            own, other = " ".join(wanted[0]), " ".join(kind)
            why = "" if kind == wanted[0] else f"no {own} ceiling at this instruction set: judged by {other}"
            level = "" if isinstance(best.isa, UnsetType) else best.isa
            return ComputeRoof(value_of(best), compute_name(best), best.id, level, why)
    return UNSET


@asked_once
def _matching(ceilings: Iterable[Ceiling], kind: tuple[str, str], threads: int, isa: str | UnsetType) -> list[Ceiling]:
    alike = [c for c in usable(ceilings, "compute") if (c.dtype, c.mix, c.threads) == (*kind, threads)]
    if isinstance(isa, UnsetType):
        return alike
    return [c for c in alike if may_use(isa, "" if isinstance(c.isa, UnsetType) else c.isa)]


def named(matching: Sequence[Ceiling]) -> Ceiling:
    """The one of the highest level, unless a lower level is clearly faster."""
    top = max(map(value_of, matching))
    near = [c for c in matching if value_of(c) * CLEARLY_ABOVE >= top]
    return max(near, key=lambda c: (_rank(c.isa), value_of(c)))


def _rank(isa: str | UnsetType) -> int:
    return next((levels.index(isa) for levels in ISA_LEVELS.values() if isa in levels), -1)
