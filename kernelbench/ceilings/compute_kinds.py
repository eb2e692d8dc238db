"""Which instruction does what at each instruction-set level: the table of compute ceilings."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from kernelbench.ceilings.compute_ir import Form
from kernelbench.native.targets import TARGETS, Target

_WIDTH = {"sse2": 128, "sse4.2": 128, "avx2": 256, "avx512": 512, "neon": 128}
_NAMES = {"avx2": "ymm", "avx512": "zmm"}
_MIXES = ("fma", "add", "fma_add")
_OPS = {"fma": 2, "add": 1, "fma_add": 3}
_SHARES: dict[tuple[str, str], dict[str, int]] = {
    ("fma", "fma_add"): {"adders": 3, "steps": 3, "adder_steps": 4},
    ("mul", "fma"): {"of_four": 2, "adders": 2},
    ("mul", "fma_add"): {"of_four": 2, "adders": 4},
}
"""How chains are shared out, by (way, mix). FMA with as many adds: 4 chains x 3 steps and 3 chains x 4 steps, 12 cycles
each at latencies 4 and 3 (Zen); with equal numbers of chains, filling two pipes of either sort takes 16 accumulators,
and AVX2's 16 registers also hold the factors. Multiplying and adding in chains apart: a chain of both would wait for
the sum of the latencies, and 12 of them reached only 80% of the rate (Zen 4)."""


class Kind(Struct, frozen=True):
    """One way of computing: a number type, an instruction mix, an instruction-set level."""

    form: Form
    isa: str
    mix: str
    """"fma", "add", "fma_add" or "dot"."""
    unit: str
    """"FLOP/s", or "OP/s" for integers."""
    ops_per_lane: int
    """Operations of one step per lane: 2 for a multiply-add, 3 with an add beside it, 8 for four byte products."""
    instructions: tuple[str, ...]
    """Regular expressions: the loop must match each once for every step of every chain that goes the form's way."""
    adding: str
    """The same for the chains of plain adds; empty where there are none."""
    target: Target
    """What to compile for: the level's own, so that no wider register can appear."""
    constants: int
    """Vector registers taken by what is no accumulator."""
    registers: int
    """Vector registers of the level."""
    provenance: str
    """Lanes and instructions in words."""

    @property
    def dtype(self) -> str:
        """Number type of the factors."""
        return self.form.dtype


class Absent(Struct, frozen=True):
    """A combination that is not measured."""

    dtype: str
    isa: str
    mix: str
    unit: str
    reason: str
    """Why, in words for the user."""


class _Level(Struct, frozen=True):
    """One instruction-set level on one host."""

    isa: str
    features: frozenset[str]
    """What the host has, in LLVM's words."""
    arm: bool
    widest: bool
    """True when no wider level follows: then this one stands for the host itself."""

    @property
    def fused(self) -> bool:
        """True when it has fused multiply-add."""
        return self.arm or self.isa in _NAMES

    @property
    def register(self) -> str:
        """x86 register class."""
        return _NAMES.get(self.isa, "xmm")

    def target(self, *more: str) -> Target:
        """The level's target with ``more`` features; on ARM the host itself."""
        if self.arm:
            return Target("", ",".join(f"+{name}" for name in sorted(self.features)))
        own = TARGETS[self.isa]
        return Target(own.cpu, ",".join(filter(None, [own.features, *(f"+{name}" for name in more)])))

    def absent(self, dtype: str, mix: str, reason: str) -> Absent:
        return Absent(dtype, self.isa, mix, "OP/s" if dtype == "i8" else "FLOP/s", reason)


def kinds(levels: Sequence[str], features: frozenset[str]) -> tuple[Kind | Absent, ...]:
    """Every number type and instruction mix at each of ``levels``, in their order (narrowest first).

    ``levels`` are usable names of ``model.ISA_LEVELS``; ``features`` are the host's in LLVM's words. SSE4.2 appears
    with byte products only: for all else its instructions are SSE2's. Matrix tiles (AMX) follow as absent.
    """
    arm = bool(features & {"neon", "fp-armv8"})
    found: list[Kind | Absent] = []
    for isa in levels:
        level = _Level(isa, features, arm, widest=isa == levels[-1])
        if isa == "sve":
            pairs = [(dtype, mix) for dtype in ("f64", "f32") for mix in _MIXES] + [("bf16", "dot"), ("i8", "dot")]
            reason = "not measured: SVE's vector length is unknown when compiling; neon is measured instead"
            found += [level.absent(dtype, mix, reason) for dtype, mix in pairs]
            continue
        if isa != "sse4.2":
            found += [_floating(level, dtype, mix) for dtype in ("f64", "f32") for mix in _MIXES]
            found.append(_bf16_dot(level))
        found.append(_i8_dot(level))
    tiles = _Level("amx", features, arm, widest=False)
    for dtype, name in (("bf16", "amx-bf16"), ("i8", "amx-int8")):
        if name in features:
            found.append(tiles.absent(dtype, "dot", "present, not measured"))
    return tuple(found)


def _floating(level: _Level, dtype: str, mix: str) -> Kind:
    """f64 and f32; where a level has no fused multiply-add, multiplying and adding apart count as one."""
    size = int(dtype[1:])
    lanes = 1 if level.isa == "scalar" else _WIDTH[level.isa] // size
    named = _arm_names(size, lanes) if level.arm else _x86_names(level, size, lanes)
    way = "add" if mix == "add" else "fma" if level.fused else "mul"
    form = Form(dtype, lanes, way, **_SHARES.get((way, mix), {}))
    (add, adding), (name, pattern) = named["add"], named[way]
    words = {
        ("mul", "fma"): f"{name} and as many {add} (no fused multiply-add at this level)",
        ("mul", "fma_add"): f"{name} and twice as many {add} (no fused multiply-add at this level)",
        ("fma", "fma_add"): f"{name} and as many {add}",
    }.get((way, mix), name)
    return Kind(
        form=form,
        isa=level.isa,
        mix=mix,
        unit="FLOP/s",
        ops_per_lane=_OPS[mix],
        instructions=(pattern,),
        adding=adding if form.adders else "",
        target=level.target(),
        constants=1 if way == "add" else 2,
        registers=_registers(level),
        provenance=f"{_lanes(lanes)}, {words}: {_OPS[mix]} FLOP a lane",
    )


def _x86_names(level: _Level, size: int, lanes: int) -> dict[str, tuple[str, str]]:
    """Way -> (instruction, regular expression in AT&T syntax)."""
    suffix = ("s" if lanes == 1 else "p") + ("d" if size == 64 else "s")
    v, operands = "v" if level.fused else "", rf"{suffix}\s.*%{level.register}"
    return {
        "mul": (f"{v}mul{suffix}", rf"\b{v}mul{operands}"),
        "add": (f"{v}add{suffix}", rf"\b{v}(?:add|sub){operands}"),
        "fma": (f"vfmadd{suffix}", rf"\bvfmadd\d+{operands}"),
    }


def _arm_names(size: int, lanes: int) -> dict[str, tuple[str, str]]:
    """Way -> (instruction, regular expression)."""
    letter = "d" if size == 64 else "s"
    operand = rf"{letter}\d" if lanes == 1 else rf"v\d+\.{lanes}{letter}"
    fma = "fmadd" if lanes == 1 else "fmla"
    return {"add": ("fadd", rf"\bf(?:add|sub)\s+{operand}"), "fma": (fma, rf"\b{fma}\s+{operand}")}


def _bf16_dot(level: _Level) -> Kind | Absent:
    """Pairs of bf16 products summed in f32."""
    if level.arm and level.isa == "neon" and "bf16" in level.features:
        return _dot(level, "bf16", "bfdot", r"\bbfdot\s+v\d+\.4s", 4, level.target())
    if level.isa == "avx512" and "avx512bf16" in level.features:
        return _dot(level, "bf16", "vdpbf16ps", r"\bvdpbf16ps\s.*%zmm", 4, level.target("avx512bf16"))
    extension = {"neon": "Armv8.6 BF16", "avx512": "AVX512-BF16"}.get(level.isa)
    reason = f"this CPU has no {extension}" if extension else f"{level.isa} has no bf16 dot product"
    return level.absent("bf16", "dot", reason)


def _i8_dot(level: _Level) -> Kind | Absent:
    """Fours of byte products summed in 32 bits: one instruction, or the three that a level without it needs."""
    if level.isa in ("scalar", "sse2"):
        return level.absent("i8", "dot", f"{level.isa} has no product of bytes")
    if level.arm:
        if "dotprod" in level.features:
            return _dot(level, "i8", "sdot", r"\bsdot\s+v\d+\.4s", 8, level.target())
        return level.absent("i8", "dot", "this CPU has no Armv8.2 dot product (sdot)")
    # AVX-VNNI is no part of the level avx2, but of a host whose widest level that is: native code may use it there.
    feature = {"avx512": "avx512vnni", "avx2": "avxvnni" if level.widest else ""}.get(level.isa, "")
    if feature in level.features:
        return _dot(level, "i8", "vpdpbusd", rf"\bvpdpbusd\s.*%{level.register}", 8, level.target(feature))
    return _dot(level, "i8", "maddubs", rf"\bv?pmaddubsw\s.*%{level.register}", 8, level.target())


def _dot(level: _Level, dtype: str, way: str, pattern: str, ops: int, target: Target) -> Kind:
    """One dot-product instruction with 32-bit sums, ``ops`` operations a lane, or the three that stand for it."""
    lanes = _WIDTH[level.isa] // 32
    form = Form(dtype, lanes, way)
    patterns, words, constants = [pattern], way, 2
    if way == "maddubs":
        # Beside the factors and the ones, two registers for what is on its way to the sum.
        constants, words = 4, "pmaddubsw, pmaddwd and paddd (no single instruction)"
        patterns += [rf"\bv?{name}\s.*%{level.register}" for name in ("pmaddwd", "paddd")]
    unit = "OP" if dtype == "i8" else "FLOP"
    return Kind(
        form=form,
        isa=level.isa,
        mix="dot",
        unit=f"{unit}/s",
        ops_per_lane=ops,
        instructions=tuple(patterns),
        adding="",
        target=target,
        constants=constants,
        registers=_registers(level),
        provenance=f"{_lanes(lanes)}, {words}: {ops} {unit} a lane",
    )


def _registers(level: _Level) -> int:
    return 32 if level.arm or level.isa == "avx512" else 16


def _lanes(lanes: int) -> str:
    return f"{lanes} lanes" if lanes > 1 else "1 lane"
