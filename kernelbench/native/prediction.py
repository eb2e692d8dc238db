"""What OSACA foresees for a loop: pressure on each port and cycles per iteration (Laukemann et al., PMBS 2018).

OSACA is the extra ``asm``; its port models are measured per microarchitecture. It takes every load from L1 and every
branch as foreseen, so its cycles are a floor. Imported only when a prediction is wanted.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

ARCHITECTURES = {
    "sandybridge": "SNB",
    "ivybridge": "IVB",
    "haswell": "HSW",
    "broadwell": "BDW",
    "skylake_avx512": "SKX",
    "cascadelake": "CSX",
    "icelake": "ICX",
    "icelake_client": "ICL",
    "sapphirerapids": "SPR",
    "zen": "ZEN1",
    "zen2": "ZEN2",
    "zen3": "ZEN3",
    "zen4": "ZEN4",
}
"""archspec's name of a design -> OSACA's."""

CHAIN_TIMEOUT_S = 10


class CannotPredict(Exception):
    """No prediction; the text says why."""


class Prediction(Struct, frozen=True):
    """Cycles per iteration of a loop, as OSACA foresees them."""

    architecture: str
    """OSACA's name of it."""
    pressure: dict[str, float]
    """Port -> cycles per iteration; ports without any left out."""
    chain_cycles: float
    """The longest dependency chain around the loop."""
    unknown: tuple[str, ...]
    """Instructions that its data lacks: left out, so the cycles are too few by them."""

    @property
    def throughput_cycles(self) -> float:
        """Of the busiest port."""
        return max(self.pressure.values(), default=0.0)

    @property
    def cycles(self) -> float:
        """Least cycles per iteration: the busiest port or the longest chain."""
        return max(self.throughput_cycles, self.chain_cycles)


def predict(lines: Iterable[str], design: str) -> Prediction:
    """The prediction for a loop of ``lines`` on archspec's ``design``.

    Raises CannotPredict where OSACA is not installed, knows no such design, or cannot read the loop.
    """
    architecture = ARCHITECTURES.get(design)
    if architecture is None:
        known = ", ".join(ARCHITECTURES)
        raise CannotPredict(f"OSACA has no port model for {design or 'this CPU'} (it has {known})")
    try:
        from osaca.parser import ParserX86ATT
        from osaca.semantics import ArchSemantics, KernelDG, MachineModel
    except ImportError as error:
        raise CannotPredict("OSACA is not installed: `pip install 'kernelbench[asm]'` adds it") from error
    parser, machine = ParserX86ATT(), MachineModel(arch=architecture)
    semantics = ArchSemantics(parser, machine)
    try:
        forms, refused = _understood(parser.parse_file("\n".join(lines) + "\n"), semantics)
        # Twice, as OSACA's own command does: the second pass begins from the first one's balance.
        semantics.assign_optimal_throughput(forms)
        semantics.assign_optimal_throughput(forms)
        graph = KernelDG(forms, parser, machine, semantics, CHAIN_TIMEOUT_S)
        chains = graph.get_loopcarried_dependencies()
    except (KeyError, ValueError, IndexError, AttributeError, TypeError, AssertionError) as error:
        # OSACA answers what it cannot read with whatever its tables happen to raise.
        raise CannotPredict(f"OSACA cannot analyse this loop ({type(error).__name__}: {error})") from error
    pressure = zip(machine.get_ports(), semantics.get_throughput_sum(forms), strict=True)
    return Prediction(
        architecture,
        {str(port): float(cycles) for port, cycles in pressure if cycles > 0},
        max((float(chain["latency"]) for chain in chains.values()), default=0.0),
        (*refused, *(str(form.line).strip() for form in forms if "tp_unknown" in (form.flags or ()))),
    )


def _understood(forms: list[Any], semantics: Any) -> tuple[list[Any], tuple[str, ...]]:
    """(What OSACA has data for, or at least reads, the text of what its data is broken for)."""
    good, refused = [], []
    for form in forms:
        try:
            semantics.normalize_instruction_forms([form])
            semantics.add_semantics([form])
        except (KeyError, ValueError):  # a port that its own model lacks
            refused.append(str(form.line).strip())
        else:
            good.append(form)
    return good, tuple(refused)
