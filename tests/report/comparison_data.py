"""A comparison with a cell of every verdict, and hostile ones."""

from kernelbench.analysis.cell import Cell, Comparison
from kernelbench.analysis.expectations import Judged
from kernelbench.report.comparison_words import Named

NOTE = "Two stored runs, one after the other: weaker than `kernelbench ab`, whose two sides take turns."
HOSTILE = "x/\x1b[31m<b>|`a`\u202e\n@you http://evil/f32/n=1/t=1"


def timed(case_id: str, verdict: str, ratio: float, reason: str, **more: object) -> Cell:
    """A cell with two times, its interval 1% to either side."""
    more.setdefault("threshold", 0.05)
    return Cell(
        case_id, verdict, reason, base=1e-3, new=1e-3 * ratio, ratio=ratio, ci_low=0.99 * ratio, ci_high=1.01 * ratio,
        detectable=0.07, base_rounds=10, new_rounds=10, was_measured=True, **more,
    )  # fmt: skip


def every() -> Comparison:
    """One cell of every verdict, two unchanged, in no order."""
    cells = (
        timed("matmul/naive/f32/n=512/t=1", "unchanged", 1.004, "the interval 0.994 to 1.014 lies wholly within"),
        timed("matmul/naive/f32/n=64/t=1", "unchanged", 0.998, "the interval 0.988 to 1.008 lies wholly within"),
        timed("matmul/tiled/f32/n=512/t=1", "regressed", 1.12, "the interval 1.109 to 1.131 lies wholly above 1.050"),
        timed(
            "relu/vectorized/f32/n=4096/t=1", "improved", 0.71, "the interval 0.703 to 0.717 lies wholly below 0.952"
        ),
        timed(
            "triad/parallel/f32/n=65536/t=2", "ambiguous", 1.045, "the interval 1.035 to 1.055 crosses the threshold"
        ),
        Cell("softmax/fused/f32/m=64,n=64/t=1", "failed", "failed in NEW: timing: SIGSEGV", 2e-6, was_measured=True),
        Cell("gelu/naive/f32/n=1/t=1", "failed", "failed in both: verify: wrong"),
        Cell("gemv/naive/f32/m=1,n=64/t=1", "new", "only in NEW", new=3e-6),
        Cell("copy/naive/f32/n=64/t=1", "missing", "only in BASE", 4e-6, was_measured=True),
        Cell("dot/naive/f32/n=64/t=1", "incomparable", "case.shape differs: n=64 in BASE, n=65 in NEW", 5e-6, 5e-6),
    )
    return Comparison("time", 0.05, cells, (NOTE,))


def named(comparison: Comparison | None = None, base: str = "main.json", new: str = "branch.json") -> Named:
    """With its two names."""
    return Named(base, new, comparison or every())


def hostile() -> Named:
    """Names and reasons from a file that somebody made up."""
    cells = (
        Cell(HOSTILE, "failed", f"failed in NEW: {HOSTILE}", 1e-3, was_measured=True),
        timed(HOSTILE, "unchanged", 1, ""),
    )
    return named(Comparison("time", 0.05, cells, (HOSTILE,)), HOSTILE, HOSTILE)


def judged() -> tuple[Judged, ...]:
    """An expectation in each state."""
    return (
        Judged("tiled beats naive", "pass", "at 4.2 to 4.4 times", "faster_than", 2.0),
        Judged("two threads pay", "fail", "at 1.1 to 1.2 times, wholly below 1.6", "faster_than", 1.6),
        Judged("gemv near its roof", "undecided", "3 rounds; an interval needs 6", "min_roof_fraction", 0.7),
    )
