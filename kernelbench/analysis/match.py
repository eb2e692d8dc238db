"""Which records of two results belong together, and whether they may be compared at all."""

from collections.abc import Iterator

from kernelbench.errors import IncomparableError
from kernelbench.model import Case, Machine, Record, Result

Key = tuple[str, str]
"""(machine id or "", case id)."""


def check_comparable(base: Result, new: Result, *, across_machines: bool) -> None:
    """Raises IncomparableError, naming what differs, when times of the two results mean different things."""
    old, now = base.kernelbench.method_version, new.kernelbench.method_version
    if old != now:
        raise IncomparableError(
            f"kernelbench.method_version differs: {old} in BASE, {now} in NEW; their times were obtained in "
            "different ways, so measure both with the same kernelbench"
        )
    if not across_machines and base.machines and new.machines and not base.machines.keys() & new.machines.keys():
        one, other = next(iter(base.machines.values())), next(iter(new.machines.values()))
        raise IncomparableError(
            f"machine differs: {one.id!r} in BASE, {other.id!r} in NEW ({_difference(one, other)}); measure both on "
            "one machine, or give --across-machines to compare how close each comes to its own roof"
        )


def indexed(result: Result, across_machines: bool) -> dict[Key, Record]:
    """The records by machine and case id; by case id alone across machines.

    Raises IncomparableError when a case id then stands for several machines' records.
    """
    found: dict[Key, Record] = {}
    for record in result.records:
        key = ("" if across_machines else record.machine, record.case.id)
        if key in found and found[key].machine != record.machine:
            raise IncomparableError(
                f"case {record.case.id!r} was measured on {len(result.machines)} machines within one file; "
                "--across-machines needs one machine a file"
            )
        found[key] = record
    return found


def same_problem(one: Case, other: Case) -> bool:
    """True when a time of one can be a speedup over one of the other: op, shape and cache state agree.

    So must the parameters that both have: a variant's own (the group of its weights) is no matter of a variant
    without it.
    """
    shared = one.params.keys() & other.params.keys()
    return (one.op, one.shape, one.cache) == (other.op, other.shape, other.cache) and all(
        one.params[name] == other.params[name] for name in shared
    )


def _difference(one: Machine, other: Machine) -> str:
    for name, mine, theirs in _facts(one, other):
        if mine != theirs:
            return f"{name}: {mine!s} against {theirs!s}"
    return "in facts that only their fingerprints hold"


def _facts(one: Machine, other: Machine) -> Iterator[tuple[str, object, object]]:
    yield "cpu.model", one.cpu.model, other.cpu.model
    yield "cpu.signature", one.cpu.signature, other.cpu.signature
    yield "cpu.features", one.cpu.features, other.cpu.features
    yield "caches", one.caches, other.caches
    yield "topology.cores", one.topology.cores, other.topology.cores
    yield "topology.threads", one.topology.threads, other.topology.threads
    yield "memory.total_bytes", one.memory.total_bytes, other.memory.total_bytes
    yield "virtualisation", one.virtualisation, other.virtualisation
