"""Cases with the parameters that `tune` found faster on this machine, under an id of their own."""

from collections.abc import Sequence

from msgspec import Struct, structs

from kernelbench.model import Case, VariantInfo, case_id
from kernelbench.plan import Plan
from kernelbench.store import tuned as store

NAMED = 3
"""Kernels that one line names."""


class Applied(Struct, frozen=True):
    """A plan with tuned parameters where there are any, and what the user should know of them, a line each."""

    plan: Plan
    notes: tuple[str, ...] = ()


def apply(plan: Plan, variants: Sequence[VariantInfo], machine: str) -> Applied:
    """``plan`` with the stored winners of ``machine``; a winner that the kernel no longer has is not used."""
    tunable = {variant.name: variant.tunable for variant in variants if variant.tunable}
    if not any(case.variant in tunable for case in plan.cases):
        return Applied(plan)
    loaded = store.load(machine)
    said = [f"tuned parameters are not used: {loaded.fault}"] if loaded.fault else []
    cases: list[Case] = []
    used: dict[str, list[str]] = {}
    stale: dict[str, None] = {}
    for case in plan.cases:
        winner = loaded.winners.get(store.class_of(case))
        if winner is None or case.variant not in tunable:
            cases.append(case)
        elif store.usable(winner, tunable[case.variant]):
            cases.append(_tuned(case, winner.chosen))
            words = " ".join(f"{name}={value}" for name, value in winner.chosen.items())
            used.setdefault(f"{case.variant}: {words}", []).append(case.id)
        else:
            cases.append(case)
            stale[case.variant] = None
    said += [_used(words, ids) for words, ids in used.items()]
    said += [f"{name} has other tunable parameters than when it was tuned: `kernelbench tune {name}`" for name in stale]
    return Applied(structs.replace(plan, cases=tuple(cases)), tuple(said))


def _tuned(case: Case, chosen: dict[str, int]) -> Case:
    name = case_id(
        case.variant,
        case.dtype,
        case.shape,
        case.threads,
        params=case.params,
        isa=case.isa,
        cache=case.cache,
        tuned=True,
    )
    return structs.replace(case, id=name, tuned=True, tuning=chosen)


def _used(words: str, ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"using tuned parameters for {words} ({', '.join(ids[:NAMED])}{more}); --no-tuned ignores them"
