"""Which records of two results belong together, and whether they may be compared at all."""

from collections.abc import Iterator

from msgspec import UnsetType

from kernelbench.errors import IncomparableError
from kernelbench.model import Case, Machine, Measured, Record, Result

Key = tuple[str, str]
"""(machine id or "", case id)."""

SAME_WORK = 1e-3
"""Work that differs by a smaller share is the same: a model may count what is not zero in random operands."""

_CASE_FIELDS = ("op", "variant", "dtype", "dtypes", "shape", "params", "threads", "isa", "cache", "tuned")
"""All of a case but its id and its style, which is only a label."""

_WORK_FIELDS = ("flop", "read_bytes", "write_bytes")
"""What a call must do at least. Workspace and packing are the variant's own affair, and may change with its code."""


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


def unlike(base: Record, new: Record) -> str:
    """Why two times of one case id do not mean the same thing, naming the field that differs; empty when they do."""
    if base.case != new.case:
        for name in _CASE_FIELDS:
            one, other = getattr(base.case, name), getattr(new.case, name)
            if one != other:
                return f"case.{name} differs: {_text(one)} in BASE, {_text(other)} in NEW"
    if base.work != new.work:
        for name in _WORK_FIELDS:
            one, other = getattr(base.work, name), getattr(new.work, name)
            # A model that one side lacks says nothing about what that side did.
            both = not isinstance(one, UnsetType) and not isinstance(other, UnsetType)
            if both and abs(one - other) > SAME_WORK * max(one, other):
                return f"work.{name} differs: {one:.6g} in BASE, {other:.6g} in NEW: not the same work"
    if isinstance(base.outcome, Measured) and isinstance(new.outcome, Measured):
        if base.outcome.timer != new.outcome.timer:
            return f"timed by a {base.outcome.timer} in BASE, by a {new.outcome.timer} in NEW"
        if base.outcome.includes_python_call != new.outcome.includes_python_call:
            return "only one side's time includes a call from Python"
    return f"on {base.device} in BASE, on {new.device} in NEW" if base.device != new.device else ""


def _text(value: object) -> str:
    """A field's value as a case id spells it."""
    if isinstance(value, UnsetType) or value == {}:
        return "none"
    return ",".join(f"{name}={number}" for name, number in value.items()) if isinstance(value, dict) else str(value)


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
