"""The points of ``quantization`` in words and digits: table, tooltips and sentences say the same."""

from msgspec import UnsetType

from kernelbench.report.columns import COLUMNS, error, name, show, speedup
from kernelbench.report.quantization import Point, Problem
from kernelbench.report.section import Head
from kernelbench.report.text import safe_text
from kernelbench.units import size_bytes, three_digits

HEADS = (
    Head("case", "The case's id.", numeric=False),
    Head("type", "Number type of the weights where they have their own, else of the operands.", numeric=False),
    Head("median", COLUMNS["median"].meaning),
    Head("±", COLUMNS["interval"].meaning),
    Head("RMS error", "Root mean square of the error over that of the result, against float64."),
    Head("SNR (dB)", "Signal-to-noise ratio against float64; empty where exact."),
    Head("bytes moved", "Compulsory bytes that one call reads and writes."),
    Head("bytes prepared", "Made ahead of timing: quantized or packed operands."),
    Head("x f32", "Speedup over the fastest in plain f32 of the same problem and threads, by median."),
    Head("front", "Whether nothing is both at least as fast and at least as exact.", numeric=False),
)


def cells(problem: Problem, point: Point) -> tuple[str, ...]:
    """One row under ``HEADS``, safe to show."""
    return (
        safe_text(point.row.case_id),
        point.kind,
        COLUMNS["median"].text(point.row),
        COLUMNS["interval"].text(point.row),
        error(point.error),
        show(point.row.snr_db, three_digits),
        show(point.moved_bytes, size_bytes),
        show(point.prepared_bytes, size_bytes),
        show(problem.gain(point), speedup),
        "yes" if point.on_front else "",
    )


def sentence(problem: Problem) -> str:
    """What the fastest of the front gives over plain f32, safe to show."""
    fastest, base = problem.front[-1], problem.baseline
    time = COLUMNS["median"].text(fastest.row)
    gain = problem.gain(fastest)
    told = f"{problem.title}: {name(fastest.row)} ({fastest.kind}) is the fastest, {time} at an error of "
    told += error(fastest.error)
    if isinstance(gain, UnsetType) or isinstance(base, UnsetType):
        return f"{told}."
    if fastest == base:
        return f"{told}; nothing in fewer bits is faster."
    return f"{told}: {speedup(gain)} the speed of {name(base.row)}, the fastest in plain f32 ({_accuracy(base)})."


def _accuracy(point: Point) -> str:
    return "exact" if point.error == 0 else error(point.error)
