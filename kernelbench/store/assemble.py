"""A journal's lines -> the result. The one path for finished, interrupted and resumed runs."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePath
from statistics import median
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.model import SCHEMA_VERSION, Accuracy, Ceiling, Failed, Measured, Record, Result, Round, Skipped
from kernelbench.protocol import CaseMeasured
from kernelbench.store.journal import CaseDead, CeilingsDone, Event, Header, Noted, PlannedCase, RoundDone

ROUNDS_DROPPED = "rounds-dropped"
"""Flag of a record with fewer rounds than planned (time budget spent, or interrupted)."""


def assemble(header: Header, events: tuple[Event, ...], *, interrupted: bool) -> Result:
    """The result of what ``events`` hold; records in plan order, then the skipped ones.

    A case that died is ``failed`` whatever its earlier rounds said; one without a round is ``skipped``.
    A note that was made twice (the run was resumed) stands once.
    """
    measured: dict[str, list[CaseMeasured]] = defaultdict(list)
    dead: dict[str, CaseDead] = {}
    passes: list[Ceiling] = []
    for event in events:
        if isinstance(event, RoundDone):
            measured[event.case_id].append(event.measured)
        elif isinstance(event, CaseDead):
            dead.setdefault(event.case_id, event)
        elif isinstance(event, CeilingsDone):
            passes.extend(event.ceilings)
    records = [
        _failed(planned, dead[planned.case.id], header)
        if planned.case.id in dead
        else _record(planned, measured[planned.case.id], header, interrupted=interrupted)
        for planned in header.cases
    ]
    machine = header.machine.id
    records += [Record(case=case, machine=machine, outcome=Skipped(reason)) for case, reason in header.skipped]
    return Result(
        schema_version=SCHEMA_VERSION,
        kind="run",
        kernelbench=header.tool,
        created=header.created,
        config=_public(header.config),
        machines={machine: header.machine},
        ceilings=merge_ceilings(passes),
        records=tuple(records),
        interrupted=interrupted,
        notes=tuple(dict.fromkeys(event.text for event in events if isinstance(event, Noted))),
    )


def merge_ceilings(passes: Iterable[Ceiling]) -> tuple[Ceiling, ...]:
    """Ceilings of many passes, one for each id, in an order that does not depend on that of measuring.

    ``value`` is the best probe of all: the largest, of latencies the smallest. ``spread`` is |best - median| / best
    over at least two probes.
    """
    by_id: dict[str, list[Ceiling]] = defaultdict(list)
    for ceiling in passes:
        by_id[ceiling.id].append(ceiling)
    return tuple(sorted((_merged(group) for group in by_id.values()), key=_place))


def _merged(group: list[Ceiling]) -> Ceiling:
    done = [ceiling for ceiling in group if ceiling.skipped is UNSET]
    if not done:
        return group[0]
    probes = tuple(sorted((probe for ceiling in done for probe in ceiling.probes), key=lambda probe: probe.at_s))
    values = [probe.value for probe in probes] or [c.value for c in done if c.value is not UNSET]
    if not values:
        return done[0]
    best = min(values) if done[0].kind == "latency" else max(values)
    spread = abs(best - median(values)) / best if len(values) > 1 else UNSET
    return replace(done[0], value=best, probes=probes, spread=spread)


def _place(ceiling: Ceiling) -> tuple[str | int, ...]:
    texts = (ceiling.kind, ceiling.dtype, ceiling.isa, ceiling.mix)
    working_set = 0 if ceiling.working_set_bytes is UNSET else ceiling.working_set_bytes
    return (*("" if text is UNSET else text for text in texts), ceiling.threads, working_set, ceiling.id)


def _failed(planned: PlannedCase, death: CaseDead, header: Header) -> Record:
    return Record(
        case=planned.case,
        machine=header.machine.id,
        outcome=Failed(stage=death.stage, message=death.message),
        work=planned.work,
        source_hash=header.source_hash,
        tuning=dict(planned.case.tuning),
    )


def _record(planned: PlannedCase, done: list[CaseMeasured], header: Header, *, interrupted: bool) -> Record:
    bare = Record(
        case=planned.case,
        machine=header.machine.id,
        outcome=Skipped(""),
        work=planned.work,
        tuning=dict(planned.case.tuning),
    )
    if not done:
        why = "interrupted before its first round" if interrupted else "the run ended before its first round"
        return replace(bare, outcome=Skipped(why))
    first = done[0]
    rounds = _rounds(done)
    used = sum(not measured.superseded for measured in rounds)
    outcome = (
        Measured(timer=first.timer, includes_python_call=first.includes_python_call, rounds=rounds)
        if rounds
        else Skipped("verified only, not timed")
    )
    flags = dict.fromkeys(flag for measured in done for flag in measured.flags)
    if 0 < used < header.rounds:
        flags[ROUNDS_DROPPED] = None
    return replace(
        bare,
        outcome=outcome,
        accuracy=_worst([measured.accuracy for measured in done]),
        isa_used=_first([measured.isa_used for measured in done]),
        fastmath=any(measured.fastmath for measured in done),
        placement=first.placement,
        # The round with the fewest huge pages: a case is not better backed than its worst round.
        huge_pages=min((m.huge_pages for m in done if m.huge_pages is not UNSET), default=UNSET),
        source_hash=header.source_hash,
        compile_s=_first([measured.compile_s for measured in done]),
        flags=tuple(flags),
    )


def _rounds(done: list[CaseMeasured]) -> tuple[Round, ...]:
    """Rounds by index. Of one index measured twice (the run was killed and resumed) the last counts."""
    rounds = sorted((m.round for m in done if m.round is not UNSET), key=lambda one: (one.index, one.start_s))
    last = {one.index: one for one in rounds}
    return tuple(one if one is last[one.index] else replace(one, superseded=True) for one in rounds)


def _worst(accuracies: list[Accuracy]) -> Accuracy:
    worst = max(accuracies, key=lambda accuracy: accuracy.value)
    ratios = [accuracy.snr_db for accuracy in accuracies if accuracy.snr_db is not UNSET]
    return replace(worst, snr_db=min(ratios)) if ratios else worst


def _first(values: list[Any]) -> Any:
    return next((value for value in values if value is not UNSET), UNSET)


def _public(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration without the folders of the user's files: results are passed around, folders name people."""
    public = dict(config)
    for key in ("modules", "extra_modules"):
        if key in config:
            public[key] = [PurePath(path).name for path in config[key]]
    return public
