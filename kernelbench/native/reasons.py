"""Why a loop is vectorized or not: LLVM's own words where they are known, else what the loop shows."""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import UnsetType

from kernelbench.model.inspection import Mix


class Chained(Protocol):
    """What is asked of a chain around the loop."""

    @property
    def kind(self) -> str:
        """ "arithmetic", "address" or "memory"."""

    @property
    def instructions(self) -> tuple[str, ...]:
        """Those on it."""


_GENERAL = ("loop not vectorized", "loop not vectorized: instruction return type cannot be vectorized")
"""Remarks that say nothing, or that a vector of ours is none of LLVM's."""


def vectorized(mix: Mix) -> bool:
    """Whether the loop computes (or, where nothing computes, moves) whole vectors."""
    return mix.width != "scalar"


def reasons(
    lines: Sequence[str], mix: Mix, chains: Iterable[Chained], said: Iterable[str] | UnsetType
) -> tuple[str, ...]:
    """Why it is as it is, in sentences; ``said`` are LLVM's remarks on its source lines, absent where
    those are not known."""
    remarks = [] if isinstance(said, UnsetType) else [text for text in said if text not in _GENERAL]
    if vectorized(mix):
        by_llvm = [f"LLVM: {text}" for text in remarks if text.startswith("vectorized loop")]
        own = "its source line is not known, and so not whether LLVM's vectoriser or the kernel made them"
        if not isinstance(said, UnsetType):
            own = "LLVM's loop vectoriser did not make it so: the kernel is written in vectors, or an earlier pass did"
        return tuple(by_llvm) or (f"the loop works in {mix.width} registers; {own}",)
    refused = [f"LLVM: {text}" for text in remarks if "not vectorized" in text]
    return (*refused, *_shown(lines, mix, chains)) or ("the compiler saw no gain in it, or was told not to",)


def _shown(lines: Sequence[str], mix: Mix, chains: Iterable[Chained]) -> list[str]:
    """Reasons that the loop itself shows."""
    found = []
    if any(chain.kind == "arithmetic" and _floating(chain.instructions) for chain in chains):
        found.append(
            "each iteration's sum waits for the one before: floating-point additions may not be reordered without"
            " fast-math"
        )
    if any(chain.kind == "memory" for chain in chains):
        found.append("what an iteration stores the next one loads")
    if mix.counts.get("call"):
        found.append("it calls a function in every iteration")
    jumps = sum(1 for line in lines if re.match(r"j(?!mp)", line))
    if jumps > 1:
        found.append("it branches on its data, or leaves in the middle")
    return found


def _floating(instructions: Iterable[str]) -> bool:
    return any(re.match(r"v?(add|mul|f[n]?m\w+)s[sd]\b|vfn?m\w+s[sd]\b", text) for text in instructions)
