"""Peak arithmetic rates: explicit vectors in many independent chains, the emitted code checked.

A chain waits for its last result, so a core reaches its peak only with latency x issues-per-cycle chains in
flight; the largest rate over several chain counts is taken, and no table of microarchitectures is needed.
"""

from __future__ import annotations

import re

from kernelbench.ceilings.compute_ir import source
from kernelbench.ceilings.compute_kinds import Absent, Kind, kinds
from kernelbench.native.assembly import isa_used
from kernelbench.native.jit import Code, compile_ir

__all__ = ["CHAINS", "Absent", "Kind", "accumulators", "compiled", "faults", "kinds", "seed", "work"]

CHAINS = (4, 8, 12, 16, 24)
"""Numbers of chains to try; ``compiled`` refuses those that a level's registers cannot hold."""

_SEEDS = {"f64": 0x3FE0000000000000, "f32": 0x3F000000, "bf16": 0x3F003F00, "i8": 0x01020304}
"""0.5 as bits (twice in 32 for bf16); bytes so small that the 16-bit sum of two products is far from saturating."""
_SAME_REGISTERS = {"sse4.2": "sse2"}
_LOOP = re.compile(r"^(\.L\w+):(.*?)^\s+[jb]\S*\s+\1\b", re.MULTILINE | re.DOTALL)
"""From a label to the jump back to it."""


def accumulators(kind: Kind, chains: int) -> int:
    """Chains really in flight when ``chains`` are asked for: plain adds may run beside, or in place of, some."""
    return kind.form.chains(chains) + kind.form.adding_chains(chains)


def compiled(kind: Kind, chains: int) -> Code | str:
    """The probe's code, or why it cannot be trusted: too many chains, a missing instruction, other registers."""
    wanted = accumulators(kind, chains) + kind.constants
    if wanted > kind.registers:
        return f"{chains} chains need {wanted} registers; {kind.isa} has {kind.registers}"
    code = compile_ir(source(kind.form, chains), cpu=kind.target.cpu, features=kind.target.features)
    return faults(kind, chains, code.assembly) or code


def faults(kind: Kind, chains: int, assembly: str) -> str:
    """What is wrong with ``assembly``: other registers, or an instruction that its loop lacks; "" when nothing is."""
    used, wanted = isa_used(assembly), _SAME_REGISTERS.get(kind.isa, kind.isa)
    if used != wanted:
        return f"the emitted code uses the registers of {used} instead of {wanted}"
    loop, form = "".join(match[2] for match in _LOOP.finditer(assembly)), kind.form
    counts = [(pattern, form.steps * form.chains(chains)) for pattern in kind.instructions]
    if kind.adding:
        counts.append((kind.adding, form.adder_steps * form.adding_chains(chains)))
    for pattern, least in counts:
        seen = len(re.findall(pattern, loop))
        if seen < least:
            return f"the emitted loop has {seen} of {least} {pattern}"
    return ""


def seed(kind: Kind) -> int:
    """What every chain of ``kind`` starts with, as the bits of the block's second word."""
    return _SEEDS[kind.dtype]


def work(kind: Kind, chains: int, trips: int) -> float:
    """Operations of one call."""
    return float(trips) * kind.form.steps * kind.form.chains(chains) * kind.form.lanes * kind.ops_per_lane
