"""What ``kb.measure`` returns: a time, and where it lies below this machine's roofs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from kernelbench import units
from kernelbench.model import Work

if TYPE_CHECKING:
    from kernelbench.analysis.roofline import NoRoof, Roof


class Measurement(Struct, frozen=True):
    """How long one call takes in this process. ``str`` gives it in one line, a notebook a small roofline."""

    best_s: float
    """Seconds per call of the fastest sample."""
    median_s: float
    """Seconds per call of the median sample."""
    samples_s: tuple[float, ...]
    """Seconds per call, one per sample, in the order taken."""
    calls_per_sample: int
    includes_python_call: bool
    """True when the function is called from Python, and the time includes that."""
    disturbed_samples: int
    """Samples beside which this process was preempted or the core's clock was low."""
    name: str = "fn"
    """Of the function."""
    work: Work = Work("absent")
    """What one call does, as given, and the bytes of the arrays it was given."""
    dtype: str | UnsetType = UNSET
    """Number type of the operands, "f32"; absent when they do not tell."""
    threads: int = 1
    """As given: which roofs judge it."""
    busy_cpus: float = 1.0
    """CPUs that this process kept busy meanwhile."""
    clock_hz: float = 0.0
    """The core's clock beside the samples, the highest; 0 where it cannot be measured."""

    @property
    def flop(self) -> float | UnsetType:
        """Operations of one call; absent when not given."""
        return self.work.flop

    @property
    def bytes(self) -> float | UnsetType:
        """Bytes moved by one call; absent when not given."""
        from kernelbench.analysis.roofline import bytes_moved

        return bytes_moved(self.work)

    @property
    def gflops(self) -> float | UnsetType:
        """10^9 operations a second of the fastest sample; absent without ``flop``."""
        return UNSET if isinstance(self.flop, UnsetType) else self.flop / self.best_s / 1e9

    @property
    def gbps(self) -> float | UnsetType:
        """10^9 bytes a second of the fastest sample; absent without ``bytes``."""
        moved = self.bytes
        return UNSET if isinstance(moved, UnsetType) else moved / self.best_s / 1e9

    @property
    def roof(self) -> Roof | NoRoof:
        """The least time that this machine's measured ceilings allow, and what sets it; or why there is none.

        Uses the machine card; where there is none, its ceilings are measured once (see ``kb.machine_card``).
        """
        from kernelbench.api.roofs import roof_of

        return roof_of(self)

    @property
    def fraction_of_roof(self) -> float | UnsetType:
        """``roof.seconds / best_s`` (0.7 = 70% of what the machine allows); absent where there is no roof."""
        from kernelbench.analysis.roofline import Roof

        found = self.roof
        return found.seconds / self.best_s if isinstance(found, Roof) else UNSET

    @property
    def bound(self) -> str:
        """What sets the roof: "compute" or "memory"; empty where there is no roof."""
        from kernelbench.analysis.roofline import Roof

        found = self.roof
        return found.bound if isinstance(found, Roof) else ""

    def __str__(self) -> str:
        parts = [
            f"{units.seconds(self.best_s)} best, {units.seconds(self.median_s)} median of {len(self.samples_s)} samples"
        ]
        if not isinstance(self.flop, UnsetType):
            parts.append(f"{units.giga(self.flop / self.best_s)} GFLOP/s")
        moved = self.bytes
        if not isinstance(moved, UnsetType):
            parts.append(f"{units.giga(moved / self.best_s)} GB/s")
        if self.includes_python_call:
            parts.append("includes the call from Python")
        if self.disturbed_samples:
            parts.append(f"{self.disturbed_samples} disturbed")
        return "; ".join(parts)

    def _repr_html_(self) -> str:
        """For notebooks: a line, and where ``flop`` or ``bytes`` were given a small roofline."""
        from kernelbench.api.picture import roofline

        return roofline([self])._repr_html_()
