"""The parts of a profile, in the order in which they are read: lines, facts and a table each, as final text.

The terminal, the page and the Markdown draw the same parts; the chart of sizes and the bar of a call's time are
theirs to add.
"""

from collections.abc import Callable, Iterator

from msgspec import UnsetType

from kernelbench.model import Counterfactual, Counters, Profile, Unknown
from kernelbench.report import profile_sweeps
from kernelbench.report.facts import Fact
from kernelbench.report.profile import LEVEL, Part, View, amount, causes, effect, either, supporting
from kernelbench.report.section import Head, Table
from kernelbench.report.text import safe_text
from kernelbench.units import ratio, seconds, size_bytes, three_digits

SUPPORTS = "> "
"""Marks the measured change that supports a cause; the others begin with as many blanks."""


def parts(of: View) -> tuple[Part, ...]:
    """Those that have something to say."""
    made = (make(of) for make in _MAKERS)
    return tuple(part for part in made if part.lines or part.facts or not isinstance(part.table, UnsetType))


def _bound(of: View) -> Part:
    profile = of.profile
    lines = [f"{name}: {'; '.join(map(safe_text, cause.evidence))}." for name, cause in causes(profile)]
    tried = [one for one in profile.counterfactuals if not one.skipped]
    marked = supporting(profile)
    table = Table(
        (
            Head("measured with a change", numeric=False),
            Head("effect", numeric=False),
            Head("as it is"),
            Head("changed"),
        ),
        tuple(_tried(of, one, one.name in marked) for one in tried),
    )
    about = f"Each was timed in turns with the kernel itself. {SUPPORTS.strip()} marks what names the cause."
    if not tried:
        return Part("bound", "What holds it back", tuple(lines))
    return Part("bound", "What holds it back", tuple(lines), table, about)


def _tried(of: View, one: Counterfactual, supports: bool) -> tuple[str, ...]:
    lead = SUPPORTS if supports else " " * len(SUPPORTS)
    # Every case here is of the same variant and type: only the rest of its id tells.
    told = one.change.replace(f"{of.case.variant}/{of.case.dtype}/", "")
    change = f" ({safe_text(told)})" if told else ""
    return (
        f"{lead}{safe_text(one.name)}{change}",
        effect(one),
        amount(one.before_s, one.basis),
        amount(one.after_s, one.basis),
    )


def _time(of: View) -> Part:
    split, states = of.profile.split, of.profile.states
    line = (
        f"{seconds(split.call_s)} = {seconds(split.dispatch_s)} dispatch + {seconds(split.kernel_s)} kernel; "
        f"a call of nothing takes {seconds(split.empty_call_s)}."
    )
    lines = [line, *([f"Dispatch: {safe_text(split.how)}."] if split.how else [])]
    cold = either(states.cold_s)
    if not isinstance(cold, UnsetType) and cold < (1 - LEVEL) * states.warm_s:
        lines.append("Cold operands took less time than warm ones: the host was not quiet; measure again.")
    rows = [("warm: operands in cache", seconds(states.warm_s), "")]
    for name, value in (
        ("cold: operands in no cache", states.cold_s),
        ("first touch: new pages for the output", states.first_touch_s),
    ):
        known = either(value)
        if not isinstance(known, UnsetType):
            rows.append((name, seconds(known), ratio(known / states.warm_s) if states.warm_s > 0 else ""))
    heads = (Head("one call", numeric=False), Head("best"), Head("x warm", "Times as long as warm."))
    return Part("time", "Time of one call", tuple(lines), Table(heads, tuple(rows)))


def _memory(of: View) -> Part:
    use, facts = of.profile.memory, []
    if not isinstance(use.working_set_bytes, UnsetType):
        facts.append(Fact("Working set", f"{size_bytes(use.working_set_bytes)}{_lives(of.profile, of.case.threads)}"))
    facts.append(_fact("Temporaries", use.temporaries_bytes, size_bytes))
    facts.append(_fact("Resident memory rises by", use.peak_rss_bytes, size_bytes))
    if not isinstance(use.allocations, UnsetType):
        facts.append(Fact("Allocations a call", str(use.allocations)))
    return Part("memory", "Memory", facts=tuple(facts))


def _lives(profile: Profile, threads: int) -> str:
    use = profile.memory
    share = "" if threads == 1 else f", {size_bytes(_per_thread(profile, threads))} a thread"
    if isinstance(use.level, UnsetType):
        return share
    room = "" if isinstance(use.level_bytes, UnsetType) else f" ({size_bytes(use.level_bytes)})"
    return f"{share}, in {safe_text(use.level)}{room}"


def _per_thread(profile: Profile, threads: int) -> float:
    whole = profile.memory.working_set_bytes
    return 0.0 if isinstance(whole, UnsetType) else whole / threads


def _code(of: View) -> Part:
    compiled = of.profile.compile_s
    facts = [] if isinstance(compiled, UnsetType) else [Fact("Compile time", seconds(compiled))]
    if of.row.isa_used:
        facts.append(Fact("Registers used", safe_text(of.row.isa_used)))
    counters = of.profile.counters
    if not isinstance(counters, UnsetType):
        facts += _counted(counters)
    elif of.profile.no_counters:
        facts.append(Fact("Hardware counters", f"none: {safe_text(of.profile.no_counters)}", known=False))
    return Part("code", "Code and counters", facts=tuple(facts))


def _counted(counters: Counters) -> Iterator[Fact]:
    """Counts of one call, short."""
    each = counters.instructions / counters.cycles if counters.cycles > 0 else 0.0
    yield Fact("Cycles a call", three_digits(counters.cycles))
    yield Fact("Instructions a call", f"{three_digits(counters.instructions)}, {three_digits(each)} a cycle")
    for name, value in counters.events.items():
        yield Fact(f"{safe_text(name)} a call", three_digits(value))


def _fact(label: str, value: int | Unknown, form: Callable[[float], str]) -> Fact:
    if isinstance(value, Unknown):
        return Fact(label, f"not measured: {safe_text(value.unknown)}", known=False)
    return Fact(label, form(value))


_MAKERS = (_bound, _time, profile_sweeps.sizes, profile_sweeps.threads, profile_sweeps.isa, _memory, _code)
