"""What a roofline chart shows, whatever draws it: lines, dots and the range of both axes."""

from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.ladder import usable, value_of
from kernelbench.analysis.peaks import compute_name, named
from kernelbench.model import Ceiling
from kernelbench.report.rows import Row
from kernelbench.units import giga


class Slope(Struct, frozen=True):
    """The bandwidth of one memory level: GFLOP/s = GB/s x FLOP/B."""

    level: str
    mix: str
    gbps: float

    @property
    def label(self) -> str:
        """ "L1 read 198 GB/s"."""
        return f"{self.level} {self.mix} {giga(self.gbps * 1e9)} GB/s"


class Peak(Struct, frozen=True):
    """A compute ceiling: a level line."""

    dtype: str
    name: str
    gflops: float
    unit: str

    @property
    def label(self) -> str:
        """ "f32 AVX-512 FMA 117 GFLOP/s"."""
        return f"{self.name} {giga(self.gflops * 1e9)} G{self.unit}"


class Ridge(Struct, frozen=True):
    """Where a slope meets a peak."""

    name: str
    intensity: float
    gflops: float
    level: str
    """Of the slope."""
    dtype: str
    """Of the peak."""


class Dot(Struct, frozen=True):
    """One measured case with FLOP and bytes."""

    row: Row
    intensity: float
    gflops: float


class Chart(Struct, frozen=True):
    """The roofline of one machine at one thread count."""

    machine: str
    threads: int
    slopes: tuple[Slope, ...]
    """Per level the fastest measured access mix; fastest first."""
    peaks: tuple[Peak, ...]
    """Per number type drawn, the instruction set named as in roofs; fastest first."""
    ridges: tuple[Ridge, ...]
    dots: tuple[Dot, ...]
    x_range: tuple[float, float]
    """FLOP per byte."""
    y_range: tuple[float, float]
    """GFLOP/s."""


def charts(rows: Sequence[Row], ceilings: Sequence[Ceiling]) -> tuple[Chart, ...]:
    """One chart per machine and thread count that has dots, in that order."""
    keys = dict.fromkeys((d.row.machine, d.row.threads) for d in _dots(rows))
    return tuple(_chart(rows, ceilings, *key) for key in sorted(keys))


def _chart(rows: Sequence[Row], ceilings: Sequence[Ceiling], machine: str, threads: int) -> Chart:
    own = [c for c in ceilings if (c.machine, c.threads) == (machine, threads)]
    dots = [d for d in _dots(rows) if (d.row.machine, d.row.threads) == (machine, threads)]
    slopes, peaks = _slopes(own), _peaks(own, frozenset(d.row.dtype for d in dots))
    ridges = tuple(_ridge(s, p) for p in peaks for s in slopes)
    xs = [d.intensity for d in dots] + [r.intensity for r in ridges]
    x_range = (min(xs) / 2, max(xs) * 6)
    ys = [d.gflops for d in dots]
    low = min([*ys, *(s.gbps * x_range[0] for s in slopes)]) / 1.5
    high = max([*ys, *(p.gflops for p in peaks)]) * 1.8
    return Chart(machine, threads, slopes, peaks, ridges, tuple(dots), x_range, (low, high))


def _ridge(slope: Slope, peak: Peak) -> Ridge:
    name = f"{slope.level} meets {peak.name}"
    return Ridge(name, peak.gflops / slope.gbps, peak.gflops, slope.level, peak.dtype)


def _dots(rows: Iterable[Row]) -> list[Dot]:
    return [
        Dot(r, r.intensity, r.gflops)
        for r in rows
        if not isinstance(r.intensity, UnsetType) and not isinstance(r.gflops, UnsetType)
    ]


def _slopes(ceilings: Iterable[Ceiling]) -> tuple[Slope, ...]:
    fastest: dict[str, Slope] = {}
    for c in usable(ceilings, "memory"):
        if isinstance(c.level, UnsetType):
            continue
        slope = Slope(c.level, "" if c.mix is UNSET else str(c.mix), value_of(c) / 1e9)
        if c.level not in fastest or slope.gbps > fastest[c.level].gbps:
            fastest[c.level] = slope
    return tuple(sorted(fastest.values(), key=lambda s: -s.gbps))


def _peaks(ceilings: Iterable[Ceiling], dtypes: frozenset[str]) -> tuple[Peak, ...]:
    """The peaks of the number types drawn, by fused multiply-add or dot product; all there are when none is such.

    Additions alone, or beside multiply-adds, bound few kernels: their lines would hide the others.
    """
    groups: dict[tuple[str, str], list[Ceiling]] = {}
    for c in usable(ceilings, "compute"):
        groups.setdefault(("" if c.dtype is UNSET else str(c.dtype), "" if c.mix is UNSET else str(c.mix)), []).append(
            c
        )
    wanted = {key: group for key, group in groups.items() if key[0] in dtypes and key[1] in ("fma", "dot")} or groups
    found = []
    for (dtype, _), group in wanted.items():
        best = named(group)
        found.append(Peak(dtype, compute_name(best).rsplit(" ", 2)[0], value_of(best) / 1e9, best.unit))
    return tuple(sorted(found, key=lambda p: -p.gflops))
