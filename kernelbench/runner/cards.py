"""The machine card: ceilings measured by themselves, kept, and used again by runs."""

import hashlib
import itertools
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from msgspec import UNSET, structs

import kernelbench
from kernelbench.errors import WorkerError
from kernelbench.model import METHOD_VERSION, SCHEMA_VERSION, Ceiling, Machine
from kernelbench.protocol import Ceilings, Effort, ProbeCeilings
from kernelbench.runner.host import last_level, levels, pinning, sharing, worker_memory
from kernelbench.runner.job import Job, Position, Progress
from kernelbench.runner.library import process_factory
from kernelbench.runner.live import Live, failure
from kernelbench.runner.roofs import CEILINGS_TIMEOUT_S
from kernelbench.store.assemble import merge_ceilings
from kernelbench.store.card import Card, load, save
from kernelbench.units import seconds

PASSES = {"full": 2, "quick": 1}
"""Fresh processes for each thread count: their pages and addresses differ, and so do their moments."""
PATIENCE_S = {"full": 5.0, "quick": 1.2}
"""Extra time of one pass for points that met no quiet moment, or reached their best only once."""
FROM_CARD = "; machine card of "
"""Begins what is added to a ceiling's provenance when a run takes it from a card."""
SOURCES = ("ceilings", "simd", "timing")
"""The rooms whose code measures ceilings."""


def source_hash() -> str:
    """Of the code that measures ceilings, and of the assembler: a card is not used once they have changed."""
    root = Path(kernelbench.__file__).parent
    text = hashlib.sha256(version("llvmlite").encode())
    for path in sorted(path for room in SOURCES for path in (root / room).glob("*.py")):
        text.update(path.name.encode() + path.read_bytes())
    return text.hexdigest()[:16]


def default_threads(usable: int) -> tuple[int, ...]:
    """1, 2, 4 ... and all that are usable."""
    return tuple(sorted({usable, *itertools.takewhile(lambda n: n < usable, (2**k for k in range(32)))}))


def measure(machine: Machine, threads: tuple[int, ...], *, quick: bool, progress: Progress) -> Card:
    """Measure the ceilings of ``machine`` at each of ``threads`` (empty: 1, 2, 4 ... all) and keep them as its card.

    Memory is measured at 1 and all threads, and at those asked for. Raises ``UsageError`` for more threads than
    usable, ``WorkerError`` when a worker cannot be started or fails.
    """
    usable = machine.limits.usable_threads
    counts = threads or default_threads(usable)
    memory_at = set(threads) | {1, usable}
    memory_bytes = worker_memory(machine, 0)
    cpus = pinning(machine, set(counts))
    started_at = time.monotonic()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    scope = "quick" if quick else "full"
    factory = process_factory(memory_bytes, last_level(machine))
    job = Job(
        cases=(),
        machine=machine.id,
        cpus=cpus,
        levels={count: levels(machine, mine, memory_bytes) for count, mine in cpus.items()},
        source_hash="",
        rounds=PASSES[scope],
        seed=0,
        effort=Effort(),
        case_timeout_s=CEILINGS_TIMEOUT_S,
        time_budget_s=CEILINGS_TIMEOUT_S,
        shares_cores=sharing(machine, cpus),
        isa_levels=usable_levels(machine),
    )
    live = Live(job, factory, itertools.count())
    found: list[Ceiling] = []
    try:
        for done, (count, _) in enumerate(itertools.product(counts, range(PASSES[scope]))):
            progress.show(Position("ceilings", done, len(counts) * PASSES[scope], f"t={count}"))
            wanted = scope if count in memory_at else "compute"
            request = ProbeCeilings(
                machine.id, job.levels[count], started_at, wanted, job.isa_levels, patience_s=PATIENCE_S[scope]
            )
            answer = live.ask((count, "native"), request, CEILINGS_TIMEOUT_S)
            live.close()
            if not isinstance(answer, Ceilings):
                stage, why, _ = failure(answer)
                raise WorkerError(f"the ceilings at t={count} could not be measured ({stage}: {why})")
            found += answer.ceilings
    except BaseException:
        live.kill()
        raise
    finally:
        live.close()
    return _kept(machine, merge_ceilings(found), created, quick=quick)


def usable_levels(machine: Machine) -> tuple[str, ...]:
    """The instruction-set levels that may be used here, rising."""
    return tuple(level.name for level in machine.cpu.isa_levels if level.usable)


def recent(machine: Machine, now: datetime) -> tuple[tuple[Ceiling, ...], str]:
    """(ceilings of the machine's card, which card that is in words), or (none, why there is none).

    The probes' times are relative to ``now``: all of them lie before it.
    """
    card = load(machine.id, source_hash(), now.isoformat(timespec="seconds"))
    if isinstance(card, str):
        return (), card
    age_s = (now - datetime.fromisoformat(card.created)).total_seconds()
    named = f"the machine card of {card.created} ({seconds(age_s) if age_s < 60 else _long(age_s)} old)"
    return tuple(_earlier(one, age_s, f"{FROM_CARD}{card.created}") for one in card.ceilings), named


def keep_fresh(machine: Machine, fresh: tuple[Ceiling, ...], created: str) -> None:
    """Put what a run had to measure onto the machine's card, beside what the card has at other thread counts."""
    if not fresh:
        return
    now = datetime.now(UTC)
    card = load(machine.id, source_hash(), now.isoformat(timespec="seconds"))
    counts = {one.threads for one in fresh}
    others = () if isinstance(card, str) else tuple(one for one in card.ceilings if one.threads not in counts)
    # The age is that of the oldest part.
    since = created if isinstance(card, str) or not others else min(card.created, created)
    bare = (structs.replace(one, provenance=one.provenance.split(FROM_CARD)[0]) for one in fresh)
    _kept(machine, merge_ceilings((*others, *bare)), since, quick=True)


def _kept(machine: Machine, ceilings: tuple[Ceiling, ...], created: str, *, quick: bool) -> Card:
    card = Card(
        schema_version=SCHEMA_VERSION,
        method_version=METHOD_VERSION,
        created=created,
        source_hash=source_hash(),
        quick=quick,
        machine=machine,
        ceilings=ceilings,
    )
    save(card)
    return card


def _earlier(ceiling: Ceiling, age_s: float, note: str) -> Ceiling:
    probes = tuple(structs.replace(probe, at_s=probe.at_s - age_s) for probe in ceiling.probes)
    if ceiling.skipped is not UNSET:
        return ceiling
    return structs.replace(ceiling, probes=probes, provenance=ceiling.provenance + note)


def _long(age_s: float) -> str:
    return f"{age_s / 3600:.0f} h" if age_s >= 5400 else f"{age_s / 60:.0f} min"
