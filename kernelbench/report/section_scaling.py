"""Scaling: what size, threads, instruction sets and cold operands do to a rate."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from kernelbench.model import Result
from kernelbench.report import scaling_pairs, scaling_size, scaling_threads
from kernelbench.report.rows import Row
from kernelbench.report.scaling_known import known
from kernelbench.report.section import Section

_ABOUT = (
    "Cases that differ in one thing only. Axes of sizes and rates are logarithmic; shaded stretches are the caches as "
    "the operating system tells them, dotted lines where the measured read bandwidth falls; interpreted variants are "
    "left out there. Speedups are of medians, rates of the best sample."
)

_HOW = {
    "several sizes": "-s 64,256,1024",
    "several thread counts": "-t 1,2",
    "other instruction sets": "--isa scalar,avx2,native",
    "cold operands": "--cache warm,cold",
}
"""What a run may lack -> the options of `kernelbench run` that bring it."""


def section(rows: Sequence[Row], result: Result) -> Section | UnsetType:
    """What this run tells about scaling; UNSET when nothing was measured."""
    if not any(row.status == "measured" for row in rows):
        return UNSET
    cases = known(rows, result)
    made = {
        "several sizes": scaling_size.pictures(rows, result),
        "several thread counts": scaling_threads.pictures(cases),
        "other instruction sets": scaling_pairs.isa_pictures(cases),
        "cold operands": scaling_pairs.cache_pictures(cases),
    }
    found = [pictures for pictures in made.values() if not isinstance(pictures, UnsetType)]
    figures = tuple(figure for pictures in found for figure in pictures.figures)
    told = [pictures.left_out for pictures in found if pictures.left_out]
    missing = [f"{what} ({_HOW[what]})" for what, one in made.items() if isinstance(one, UnsetType)]
    told += [f"Not in this run: {', '.join(missing)}; options of kernelbench run."] if missing else []
    return Section("scaling", "Scaling", _ABOUT, figures, tuple(told))
