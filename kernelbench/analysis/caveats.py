"""What a reader of a comparison of stored runs must know to trust or doubt its verdicts, in sentences."""

from collections.abc import Iterator

from msgspec import UnsetType

from kernelbench.analysis.family import Family
from kernelbench.analysis.host import Speeds
from kernelbench.model import Result

WEAKER = (
    "Two stored runs, one after the other: weaker than `kernelbench ab`, whose two sides take turns on the same memory."
)


def caveats(base: Result, new: Result, basis: str, family: Family, rounds: int) -> Iterator[str]:
    """The sentences for a comparison; ``rounds`` are the most that any cell has on both sides."""
    yield WEAKER
    if base.created == new.created and base.records == new.records:
        yield f"BASE and NEW are one and the same run, begun {base.created}."
    elif _sources(base) and _sources(base) == _sources(new):
        yield "Both sides ran the same sources: what moved is the host or the libraries, not the kernels."
    for result, place in ((base, "BASE"), (new, "NEW")):
        if result.interrupted:
            yield f"{place} was interrupted: it holds the rounds that were done."
        yield from (f"{place}: {note}" for note in result.notes)
    yield from _libraries(base, new)
    if basis == "roof":
        yield "The ceilings' own scatter is in no interval: trust no effect smaller than it."
    if family.size and not family.suffices((rounds, rounds)):
        yield (
            f"{family.size} cells are judged at once: {rounds} rounds a side cannot prove that one of them alone "
            f"moved, {family.rounds_needed} can (run --rounds {family.rounds_needed})."
        )


def host_caveat(found: Speeds) -> Iterator[str]:
    """Whether the host kept its speed between two runs on one machine, in a sentence; none where it did."""
    if not found.known:
        yield "The two runs share no ceilings: whether the host moved between them cannot be told."
    elif found.moved:
        yield (
            f"{found.moved} of {found.known} ceilings moved between the runs, so the host did too: a cell is called "
            "slower or faster only where it is so in units of the ceilings as well (--normalise compares in them)."
        )


def _sources(result: Result) -> frozenset[str]:
    """Hashes of the sources under test; empty unless every record has one."""
    hashes = [record.source_hash for record in result.records]
    known = [one for one in hashes if not isinstance(one, UnsetType)]
    return frozenset(known if len(known) == len(hashes) else ())


def _libraries(base: Result, new: Result) -> Iterator[str]:
    for machine in base.machines.keys() & new.machines.keys():
        before, after = base.machines[machine].software, new.machines[machine].software
        old = {"python": before.python, **before.packages}
        now = {"python": after.python, **after.packages}
        changed = [
            f"{name} {old[name]} -> {now[name]}" for name in sorted(old.keys() & now.keys()) if old[name] != now[name]
        ]
        if changed:
            yield f"Libraries differ: {', '.join(changed)}."
