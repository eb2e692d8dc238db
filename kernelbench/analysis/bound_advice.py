"""What to try next, from the bound that was found. Each sentence rests on something measured."""

from kernelbench.model import Bound, Cause, MemoryUse, TimeSplit
from kernelbench.units import ratio, size_bytes

ADVICE = {
    "latency": "Give it several independent chains (64 accumulators, or leave to reassociate): up to {gain} as fast.",
    "divide": "Multiply by a reciprocal computed once, or divide fewer values: up to {gain} as fast.",
    "gather": "Sort or block the indices so that neighbours in memory are read together: {gain} as fast in order.",
    "dispatch": "Do more in one call: batch the work, or fuse this with its neighbours.",
    "imbalance": "Deal the work in smaller or equal parts: the threads would be up to {gain} as fast.",
    "transcendental": "Use a vectorised or less exact function: {gain} as fast without it.",
    "unpacking": "Unpack once for several uses, or choose a layout that needs no shuffles: {gain} as fast without.",
    "compute": "Its arithmetic sets the pace: fewer operations, wider vectors or a narrower type make it faster.",
}
NEARER = "Work on blocks that fit a nearer cache, or move fewer bytes: the same work is {gain} as fast there."
L1 = "Keep values in registers for more work: it waits for its loads and stores, not for memory."


def advice(bound: Bound, split: TimeSplit, memory: MemoryUse) -> tuple[str, ...]:
    """Short sentences, the one to follow first at the front."""
    found = [_of(cause) for cause in bound.causes]
    if len(bound.causes) == 1:
        found += [_of(cause) for cause in bound.also if cause.share >= 0.3][:1]
    if isinstance(memory.temporaries_bytes, int) and memory.temporaries_bytes > 4096:
        found.append(f"It allocates {size_bytes(memory.temporaries_bytes)} a call: write into its output instead.")
    if memory.allocations:
        found.append(f"It allocates {memory.allocations} times a call: allocate ahead of the loop.")
    return tuple(dict.fromkeys(found))


def _of(cause: Cause) -> str:
    gain = ratio(1 / max(1e-3, 1 - cause.share))
    if cause.kind == "bandwidth":
        return (L1 if cause.level == "L1" else NEARER).format(gain=gain)
    return ADVICE[cause.kind].format(gain=gain)
