"""This machine's ceilings, from its card or measured once, and the roof they are to a measurement."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType, structs

from kernelbench import units
from kernelbench.errors import UsageError
from kernelbench.model import Case, Ceiling, Machine, Measured, Record, Round, case_id

if TYPE_CHECKING:
    from kernelbench.analysis.roofline import NoRoof, Roof
    from kernelbench.api.measurement import Measurement

BUSY = 1.3
"""Share of the declared threads beyond which a function is no longer judged by the roofs of so many."""
LOCK_WAIT_S = 60.0
"""Longest wait for another run on this host to end."""


class MachineCard(Struct, frozen=True):
    """What this machine can do. ``str`` gives it in a few lines."""

    machine: Machine
    ceilings: tuple[Ceiling, ...]
    source: str
    """Where they come from: "the machine card of 2026-01-02T03:04:05Z (3 h old)"."""

    def __str__(self) -> str:
        from kernelbench.analysis.ladder import usable, value_of
        from kernelbench.analysis.peaks import compute_name, threads_text

        compute = [
            f"  {compute_name(one)}: {units.giga(value_of(one))} G{one.unit}"
            for one in usable(self.ceilings, "compute")
            if one.mix in ("fma", "dot") and one.isa == _best_isa(self.ceilings, one)
        ]
        memory = [
            f"  {one.level} {one.mix} {threads_text(one.threads)}: {units.giga(value_of(one))} GB/s"
            for one in usable(self.ceilings, "memory")
            if one.level is not UNSET and one.mix in ("read", "copy")
        ]
        return "\n".join([f"{self.source}, machine {self.machine.id}", *compute, *memory])


def _best_isa(ceilings: tuple[Ceiling, ...], like: Ceiling) -> str | UnsetType:
    from kernelbench.analysis.ladder import usable
    from kernelbench.analysis.peaks import named

    alike = (like.dtype, like.mix, like.threads)
    return named([one for one in usable(ceilings, "compute") if (one.dtype, one.mix, one.threads) == alike]).isa


_KNOWN: dict[int, MachineCard] = {}
"""Thread count -> what was found for it in this process."""


def machine_card(threads: int = 1, *, fresh: bool = False) -> MachineCard:
    """This machine's ceilings at ``threads``: its card's, no older than a week, else measured now (some 10 s).

    Measuring runs in worker processes, says so in a line on stderr, and keeps the card for later runs and for
    ``kernelbench run``. ``fresh`` measures in any case. Raises UsageError for more threads than usable, WorkerError
    when a worker breaks.
    """
    if fresh or threads not in _KNOWN:
        _KNOWN[threads] = _found(threads, fresh=fresh)
    return _KNOWN[threads]


def _found(threads: int, *, fresh: bool) -> MachineCard:
    from datetime import UTC, datetime

    from kernelbench.machine import detect
    from kernelbench.runner import cards

    machine = detect()
    usable = machine.limits.usable_threads
    if not 1 <= threads <= usable:
        raise UsageError(f"threads={threads!r} cannot be: this process may use 1 to {usable} (affinity and CPU quota)")
    known, why = cards.recent(machine, datetime.now(UTC))
    at = sorted({one.threads for one in known})
    if threads in at and not fresh:
        return MachineCard(machine, known, why)
    reason = "asked for" if fresh else why if not known else f"the card has none at t={threads}"
    print(
        f"kernelbench: measuring this machine's ceilings at t={threads} once, some 10 s ({reason})",
        file=sys.stderr,
        flush=True,
    )
    return _measured(machine, threads)


def _measured(machine: Machine, threads: int) -> MachineCard:
    """Measured, and kept beside what the card has at other thread counts."""
    from datetime import UTC, datetime

    from kernelbench.runner import cards
    from kernelbench.runner.progress import Quiet
    from kernelbench.store.card import load
    from kernelbench.store.lock import HostLock

    progress = Quiet(sys.stderr)
    earlier = load(machine.id, cards.source_hash(), datetime.now(UTC).isoformat(timespec="seconds"))
    with HostLock() as lock:
        lock.acquire(LOCK_WAIT_S, progress.warn)
        card = cards.measure(machine, (threads,), quick=True, progress=progress)
    if not isinstance(earlier, str):
        others = tuple(one for one in earlier.ceilings if one.threads not in {new.threads for new in card.ceilings})
        cards.keep_fresh(machine, others, earlier.created)
    return MachineCard(machine, card.ceilings, f"measured {card.created}")


def roof_of(found: Measurement) -> Roof | NoRoof:
    """The roof of ``found``, or why it has none."""
    from kernelbench.analysis.roofline import NoRoof, roof

    reason = _unjudged(found)
    if reason:
        return NoRoof(reason)
    card = machine_card(found.threads)
    limit = roof(record_of(found, card.machine.id), card.ceilings, card.machine)
    if isinstance(limit, NoRoof):
        return NoRoof(f"{limit.reason}{_remedy(found)}")
    return limit


def _unjudged(found: Measurement) -> str:
    """Why nothing can be said, before a ceiling is asked for; empty when it can."""
    if isinstance(found.flop, UnsetType) and isinstance(found.bytes, UnsetType):
        return "neither flop nor bytes was given"
    if found.busy_cpus > BUSY * found.threads:
        return (
            f"it kept {units.three_digits(found.busy_cpus)} CPUs busy, and the roofs are those of threads="
            f"{found.threads}: say threads=…, or limit the library to {found.threads}"
        )
    return ""


def _remedy(found: Measurement) -> str:
    if isinstance(found.dtype, UnsetType) and not isinstance(found.flop, UnsetType):
        return '; the arguments tell no number type: pass the arrays in args, or dtype="f32"'
    if isinstance(found.work.working_set_bytes, UnsetType):
        return "; pass the arrays in args, or work=kb.Work(…, working_set_bytes=…)"
    return ""


def record_of(found: Measurement, machine: str, name: str = "") -> Record:
    """The measurement as a record of a result, one round of one case."""
    dtype = "" if isinstance(found.dtype, UnsetType) else found.dtype
    called = name or found.name
    case = Case(case_id(called, dtype, {}, found.threads), called, called, "", dtype, {}, found.threads)
    work = found.work
    if not isinstance(work.flop, UnsetType) and isinstance(work.mix, UnsetType) and dtype:
        # The highest ceiling of the type: what declares no mix is judged by what the machine does best.
        work = structs.replace(work, mix="dot" if dtype == "i8" else "fma")
    rounds = (Round(0, 0.0, found.samples_s, found.calls_per_sample, 0),)
    timer = "python loop" if found.includes_python_call else "compiled loop"
    return Record(case, machine, Measured(timer, found.includes_python_call, rounds), work=work)


def clock_of_roofs(threads: int) -> float | UnsetType:
    """The highest clock beside a probe of the compute ceilings, Hz; absent where none was measured."""
    own = [one for one in machine_card(threads).ceilings if one.kind == "compute" and one.threads == threads]
    clocks = [probe.clock_hz for one in own for probe in one.probes]
    known = [clock for clock in clocks if not isinstance(clock, UnsetType)]
    return max(known) if known else UNSET


def need_roof(found: Measurement) -> Roof:
    """The roof of ``found``. Raises UsageError with the reason where it has none."""
    from kernelbench.analysis.roofline import NoRoof

    limit = found.roof
    if isinstance(limit, NoRoof):
        raise UsageError(f"{found.name} has no roof: {limit.reason}")
    return limit
