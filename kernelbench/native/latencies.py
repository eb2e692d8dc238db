"""Latencies by kind of instruction, in cycles: what a chain of dependent instructions takes at least.

Sources: Agner Fog, "Instruction tables" (2024), and uops.info, register operands, the common forms; where the forms of
a kind differ by width, that of the widest. They are for estimates of a chain's length, not for scheduling: for that,
the extra ``asm`` brings OSACA's own tables.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kernelbench.native.instructions import Instruction

_ZEN = {"fma": 4, "dot": 4, "add": 3, "mul": 3, "divide ps": 11, "divide pd": 13, "sqrt ps": 15, "sqrt pd": 21}
_SKYLAKE = {"fma": 4, "dot": 5, "add": 4, "mul": 4, "divide ps": 11, "divide pd": 14, "sqrt ps": 12, "sqrt pd": 18}
_SHARED = {"bitwise": 1, "move": 0, "integer": 1, "imul": 3, "idiv": 18, "packed integer": 1, "approximation": 4}

LATENCIES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "zen4": _SHARED | _ZEN | {"compare": 2, "shuffle": 2, "convert": 4, "load": 7, "forward": 7, "pmul": 3},
        "zen3": _SHARED | _ZEN | {"compare": 1, "shuffle": 2, "convert": 3, "load": 7, "forward": 7, "pmul": 3},
        "zen2": _SHARED
        | _ZEN
        | {"fma": 5, "divide ps": 10, "compare": 1, "shuffle": 2, "convert": 4, "load": 7, "forward": 7, "pmul": 4},
        "skylake": _SHARED | _SKYLAKE | {"compare": 4, "shuffle": 2, "convert": 4, "load": 6, "forward": 5, "pmul": 10},
        "icelake": _SHARED | _SKYLAKE | {"compare": 4, "shuffle": 2, "convert": 4, "load": 6, "forward": 5, "pmul": 10},
    }
)
"""Design -> what -> cycles. "load" is from L1 into a vector register; "forward" is from a store to a load of the same
place; "pmul" is a multiply of packed 32-bit integers."""

_ALIKE = {
    "zen5": "zen4",
    "skylake_avx512": "skylake",
    "cascadelake": "skylake",
    "broadwell": "skylake",
    "haswell": "skylake",
    "cannonlake": "icelake",
    "sapphirerapids": "icelake",
}
"""Designs taken for another one in this table."""


def latencies_of(design: str) -> tuple[str, Mapping[str, float]]:
    """(Whose they are, the latencies) for archspec's name of a design; Zen 4's where it is not known."""
    name = design if design in LATENCIES else _ALIKE.get(design, "zen4")
    return name, LATENCIES[name]


def latency(one: Instruction, table: Mapping[str, float]) -> float:
    """Cycles from its last register operand to its result."""
    packed = "ps" if one.mnemonic.endswith(("ps", "ss")) else "pd"
    if one.kind == "add/mul":
        return table["mul" if "mul" in one.mnemonic else "add"]
    if one.kind == "divide":
        if one.mnemonic.lstrip("i").startswith("div") and not one.mnemonic.endswith(("ps", "pd", "ss", "sd")):
            return table["idiv"]
        named = next((word for word in ("sqrt", "div") if word in one.mnemonic), "")
        if not named or "rsqrt" in one.mnemonic:
            return table["approximation"]
        return table[f"{'divide' if named == 'div' else named} {packed}"]
    if one.kind == "integer":
        return table[_integer(one)]
    if one.kind in ("load", "spill", "gather"):
        return table["load"]
    return table.get(one.kind, 1.0)


def _integer(one: Instruction) -> str:
    if one.width == "scalar":
        return "imul" if "mul" in one.mnemonic else ("move" if one.mnemonic in ("movq", "movl") else "integer")
    return "pmul" if "mul" in one.mnemonic else "packed integer"
