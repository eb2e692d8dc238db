"""What advice is made from and of: the measured cases of one op, how they pair up, and one piece of advice."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.roofline import bytes_moved
from kernelbench.model import Case, Ceiling, Machine, Record
from kernelbench.units import ratio, seconds

CLEARLY = 1.1
"""Times that differ by less are no reason to change anything, however tight their intervals."""

KINDS = (
    "distrust", "chains", "take", "library", "quantized", "isa", "fewer-bytes", "working-set", "cold",
    "threads", "crossover", "dispatch", "again",
)  # fmt: skip
"""Every kind of advice."""


class Observed(Struct, frozen=True, omit_defaults=True):
    """One measured case with what was derived from it."""

    record: Record
    median_s: float
    low_s: float
    high_s: float
    """The 95% interval of the median; below 6 rounds the range of the round medians."""
    best_s: float
    roof_s: float | UnsetType = UNSET
    """Least time the roofs allow; absent without a roof."""
    roof_name: str = ""
    bound: str = ""
    """"compute" or "memory"; empty without a roof."""
    flags: tuple[str, ...] = ()

    @property
    def case(self) -> Case:
        """What was measured."""
        return self.record.case

    @property
    def own(self) -> bool:
        """True for code that its reader may change; a library's is what it is."""
        return self.case.style != "library"

    @property
    def unsteady(self) -> bool:
        """True when its time should be measured again before anybody acts on it."""
        return "noisy" in self.flags or "disturbed" in self.flags

    @property
    def fraction(self) -> float | UnsetType:
        """Share of its roof; absent without one, and above it, where the roof or the work model is wrong."""
        if isinstance(self.roof_s, UnsetType) or "above-roof" in self.flags:
            return UNSET
        return self.roof_s / self.best_s

    @property
    def share(self) -> float:
        """``fraction``; 0 where there is none to trust."""
        return 0.0 if isinstance(self.fraction, UnsetType) else self.fraction

    @property
    def work_done(self) -> float | UnsetType:
        """FLOP of one call, its bytes where it has no FLOP; absent when nothing is modelled."""
        flop = self.record.work.flop
        return flop if not isinstance(flop, UnsetType) and flop > 0 else bytes_moved(self.record.work)

    @property
    def size(self) -> float:
        """``work_done``; 0 where it is not modelled."""
        return 0.0 if isinstance(self.work_done, UnsetType) else self.work_done

    @property
    def footprint_bytes(self) -> float:
        """Working set of one thread; 0 where it is not modelled."""
        size = self.record.work.working_set_bytes
        return 0.0 if isinstance(size, UnsetType) else max(0.0, size / max(1, self.case.threads))

    @property
    def own_time(self) -> str:
        """ "matmul/tiled/f32/n=512/t=1 takes 4.10 ms"."""
        return f"{self.case.id} takes {seconds(self.median_s)}"

    @property
    def short(self) -> str:
        """ "matmul/int8 (i8) 1.31 ms": for the second of two cases, whose problem is known from the first."""
        return f"{self.case.variant} ({self.case.dtype}) {seconds(self.median_s)}"


class Advice(Struct, frozen=True, omit_defaults=True):
    """One thing to do next. Its words come from a result file: they are shown through ``report.text.safe_text``."""

    op: str
    machine: str
    kind: str
    """One of ``KINDS``."""
    text: str
    """One sentence with its numbers."""
    case_ids: tuple[str, ...]
    """The cases it rests on, the one to act on first."""
    gain: float | UnsetType = UNSET
    """At most so many times faster would the first case become; absent where nothing measured tells."""
    unsteady: tuple[str, ...] = ()
    """Which of the cases did not hold still: to be measured again before this is acted on."""
    supported: bool = False
    """True when two cases of the file that differ in nothing else show the cause; else the text says "consistent
    with", or names no cause."""


class OpCases(Struct, frozen=True):
    """The measured cases of one op on one machine."""

    op: str
    machine_id: str
    cases: tuple[Observed, ...]
    problems: tuple[tuple[Observed, ...], ...]
    """The same by the problem that they solve: shape, cache state, parameters that all cases of the op have, at one
    instruction-set setting."""
    machine: Machine | UnsetType = UNSET
    """Absent when the file does not describe it."""
    ceilings: tuple[Ceiling, ...] = ()
    """Those of the machine."""

    def advice(
        self,
        kind: str,
        text: str,
        cases: Sequence[Observed],
        gain: float | UnsetType = UNSET,
        *,
        supported: bool = False,
    ) -> Advice:
        """Advice on this op that rests on ``cases``; what is unsteady among them is said with it."""
        doubtful = tuple(c.case.id for c in cases if c.unsteady)
        if doubtful and kind not in ("again", "distrust"):
            these = "them" if len(doubtful) == len(cases) > 1 else " and ".join(doubtful)
            text += f". Measure {these} again first: {'it' if len(doubtful) == 1 else 'they'} did not hold still"
        ids = tuple(c.case.id for c in cases)
        return Advice(self.op, self.machine_id, kind, text + ".", ids, gain, doubtful, supported)


Found = Advice | UnsetType
"""What a rule says about an op: at most one thing."""


def clearly_faster(fast: Observed, slow: Observed, least: float = CLEARLY) -> bool:
    """True when ``slow`` takes at least ``least`` times as long and their intervals do not touch."""
    return slow.median_s >= least * fast.median_s and slow.low_s > fast.high_s


def gain_of(slow: Observed, fast: Observed) -> float:
    """How many times longer ``slow`` takes, by median."""
    return slow.median_s / fast.median_s


def fastest(cases: Iterable[Observed]) -> Observed | UnsetType:
    """The case of the least median; absent without any."""
    return min(cases, key=lambda c: c.median_s, default=UNSET)


def up_to(gain: float) -> str:
    """ "expect up to 2.00x"."""
    return f"expect up to {ratio(gain)}"


def by_op(observed: Iterable[Observed], machines: Mapping[str, Machine], ceilings: Iterable[Ceiling]) -> list[OpCases]:
    """The cases op by op and machine by machine, in the order in which they come."""
    groups: dict[tuple[str, str], list[Observed]] = {}
    for one in observed:
        groups.setdefault((one.record.machine, one.case.op), []).append(one)
    measured: dict[str, list[Ceiling]] = {}
    for ceiling in ceilings:
        measured.setdefault(ceiling.machine, []).append(ceiling)
    return [
        OpCases(op, of, tuple(cases), _problems(cases), machines.get(of, UNSET), tuple(measured.get(of, ())))
        for (of, op), cases in groups.items()
    ]


def _problems(cases: Sequence[Observed]) -> tuple[tuple[Observed, ...], ...]:
    names: set[str] = set.intersection(*(set(c.case.params) for c in cases))
    found: dict[object, list[Observed]] = {}
    for c in cases:
        params = tuple((name, c.case.params[name]) for name in sorted(names))
        found.setdefault((tuple(c.case.shape.items()), c.case.cache, params, c.case.isa), []).append(c)
    return tuple(tuple(members) for members in found.values())


def families(cases: Iterable[Observed], but: str) -> list[tuple[Observed, ...]]:
    """The cases that differ in one field of their case only (``but``: "threads", "isa", "cache", "shape")."""
    found: dict[object, list[Observed]] = {}
    for c in cases:
        case = c.case
        identity = {
            "variant": case.variant,
            "dtype": case.dtype,
            "shape": tuple(case.shape.items()),
            "params": tuple(sorted(case.params.items())),
            "threads": case.threads,
            "isa": case.isa,
            "cache": case.cache,
            "tuned": case.tuned,
        }
        identity.pop(but)
        found.setdefault(tuple(identity.items()), []).append(c)
    return [tuple(members) for members in found.values() if len(members) > 1]


def rounded_weights(case: Case) -> bool:
    """True where operands of a float type were quantized inside the variant: not the same answer as other floats."""
    return case.style == "quantized" and case.dtype not in ("i8", "u8")


def rivals(problem: Iterable[Observed]) -> list[tuple[Observed, Observed]]:
    """(fastest own, fastest library) wherever both were measured at equal number types, threads and parameters."""
    sides: dict[object, tuple[list[Observed], list[Observed]]] = {}
    for c in problem:
        if not rounded_weights(c.case) or c.case.params:
            key = (c.case.dtype, c.case.threads, tuple(sorted(c.case.params.items())))
            sides.setdefault(key, ([], []))[0 if c.own else 1].append(c)
    pairs = [(fastest(own), fastest(library)) for own, library in sides.values()]
    return [(a, b) for a, b in pairs if not isinstance(a, UnsetType) and not isinstance(b, UnsetType)]


def narrower(problem: Sequence[Observed]) -> list[tuple[Observed, Observed]]:
    """(fastest in f32, a library's too, fastest own in fewer bits) wherever both were measured at equal threads."""
    names = set.intersection(*(set(c.case.params) for c in problem))
    sides: dict[int, tuple[list[Observed], list[Observed]]] = {}
    for c in problem:
        few_bits = c.case.dtype in ("i8", "u8", "bf16", "f16") or rounded_weights(c.case)
        # A library's variant with a parameter of its own (the group of its weights) computes in f32 from fewer bits.
        full = c.case.dtype == "f32" and c.case.style not in ("sparse", "lowrank") and set(c.case.params) == names
        if (few_bits and c.own) or (full and not few_bits):
            sides.setdefault(c.case.threads, ([], []))[1 if few_bits else 0].append(c)
    pairs = [(fastest(wide), fastest(few)) for wide, few in sides.values()]
    return [(a, b) for a, b in pairs if not isinstance(a, UnsetType) and not isinstance(b, UnsetType)]
