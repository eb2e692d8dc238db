"""A calibration of the gate for a terminal and as JSON."""

import textwrap
from collections.abc import Callable, Iterator

import msgspec
from msgspec import UnsetType

from kernelbench.analysis.calibration import FOUND, MIN_ROUNDS, Calibrated, Calibration, Rates, unseen
from kernelbench.report.columns import show
from kernelbench.report.comparison import notes, table
from kernelbench.report.comparison_words import natural
from kernelbench.report.text import clip, safe_text
from kernelbench.units import percent, short_percent

_MIN_NAME = 30
"""A table that cannot give case ids this width drops columns first, the most telling last."""


def to_json(found: Calibration) -> str:
    """All of it as indented JSON, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def render(found: Calibration, *, width: int) -> str:
    """What the gate does on this host: on identical code, on slower code, cell by cell; ends in a newline."""
    cells = sorted(found.cells, key=lambda cell: natural(cell.case_id))
    blocks = [
        clip(f"the gate on {safe_text(found.cpu)} ({safe_text(found.machine)}), {safe_text(found.created)}", width),
        "\n".join(textwrap.fill(line, width, subsequent_indent="    ") for line in _summary(found)),
        _table(found, cells, width),
        "\n".join(textwrap.fill(line, width, subsequent_indent="    ") for line in _legend(found)),
        notes(found.notes, width),
        "\n".join(textwrap.fill(safe_text(line), width, subsequent_indent="    ") for line in _exceptions(cells)),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _summary(found: Calibration) -> Iterator[str]:
    """What a whole run would say of identical code, and of slower code."""
    rates = [cell.rates for cell in found.cells if not isinstance(cell.rates, UnsetType)]
    if isinstance(found.runs, UnsetType) or not rates:
        yield f"no rates: no cell has the {MIN_ROUNDS} rounds that they need"
        return
    cells = f"{len(rates)} cell" + ("s" if len(rates) > 1 else "")
    yield (
        f"identical code: {percent(found.runs.regressed)} of whole runs ({cells}) call a cell regressed, "
        f"{percent(found.runs.improved)} improved; {percent(sum(one.unchanged for one in rates) / len(rates))} of all "
        "verdicts are `unchanged`"
    )
    for asked in _asked(found):
        powers = [
            one.found
            for cell in found.cells
            for one in cell.slowed
            if one.asked == asked and not isinstance(one.found, UnsetType)
        ]
        if powers:
            over = sum(power >= FOUND for power in powers)
            yield (
                f"{_signed(asked)} in one cell: found in {percent(sum(powers) / len(powers))} of trials; in at least "
                f"{short_percent(FOUND)} of them for {over} of {len(powers)} cells"
            )


def _asked(found: Calibration) -> list[float]:
    return sorted({one.asked for cell in found.cells for one in cell.slowed})


def _signed(share: float) -> str:
    return f"+{short_percent(share)}"


def _table(found: Calibration, cells: list[Calibrated], width: int) -> str:
    measured = [cell for cell in cells if not cell.failed]
    if not measured:
        return ""
    columns = {
        "scatter": [show(cell.scatter, percent) for cell in measured],
        "floor": [show(cell.floor, percent) for cell in measured],
        "judged by": [percent(cell.threshold) for cell in measured],
        "same": [_rate(cell, lambda rates: rates.unchanged) for cell in measured],
        "alarm": [_rate(cell, lambda rates: rates.regressed) for cell in measured],
    }
    for asked in _asked(found):
        columns[_signed(asked)] = [_power(cell, asked) for cell in measured]
    if _asked(found):
        columns["sees"] = [_smallest(cell) for cell in measured]
    # Those that say nothing of any cell: nothing has rates, or nothing was slowed.
    columns = {name: texts for name, texts in columns.items() if set(texts) - {"", "-"}}
    for dropped in ("scatter", "judged by"):
        if width - _taken(columns) >= min(_MIN_NAME, max(len(cell.case_id) for cell in measured)):
            break
        columns.pop(dropped, None)
    names = [clip(safe_text(cell.case_id), max(8, width - _taken(columns))) for cell in measured]
    return table(list(zip(names, *columns.values(), strict=True)), ["case", *columns])


def _taken(columns: dict[str, list[str]]) -> int:
    return sum(2 + max(len(name), *map(len, texts)) for name, texts in columns.items())


def _rate(cell: Calibrated, of: Callable[[Rates], float]) -> str:
    return "" if isinstance(cell.rates, UnsetType) else short_percent(of(cell.rates))


def _power(cell: Calibrated, asked: float) -> str:
    found = next((one.found for one in cell.slowed if one.asked == asked), msgspec.UNSET)
    return "-" if isinstance(found, UnsetType) else short_percent(found)


def _smallest(cell: Calibrated) -> str:
    if isinstance(cell.smallest, UnsetType):
        return "-"
    return ("<=" if cell.smallest.how == "at most" else "~") + percent(cell.smallest.share)


def _legend(found: Calibration) -> Iterator[str]:
    """What the columns mean, and what the rates are not; nothing where there are none."""
    rounds = max((cell.rounds for cell in found.cells), default=0)
    if rounds < MIN_ROUNDS:
        return
    yield (
        "floor: smallest threshold at which 95% of screens of identical code end as `unchanged`. `ab` judges a cell "
        f"by it where it is above the threshold asked for ({percent(found.threshold)}), and so do these rates. "
        "same, alarm: identical code called unchanged, regressed."
    )
    if _asked(found):
        yield (
            f"{', '.join(map(_signed, _asked(found)))}: share of trials in which HEAD with that much extra work inside "
            f"its compiled call is called regressed. sees: smallest slowdown found in {short_percent(FOUND)} of trials "
            "(<=: smaller ones were not tried; ~: interpolated between two that were). One up to the threshold is not "
            "meant to be found."
        )
    yield (
        f"These are {found.trials} replays of the gate on rounds drawn at random from {rounds} measured ones a kind, "
        f"not {found.trials} runs: a disturbance that hits up to {percent(unseen(rounds))} of rounds may be in none of "
        "them (5% odds)."
    )


def _exceptions(cells: list[Calibrated]) -> Iterator[str]:
    """Cells and kinds without rates, and why; those of one reason together."""
    why: dict[str, list[str]] = {}
    for cell in cells:
        for reason in _reasons(cell):
            why.setdefault(reason, []).append(cell.case_id)
    for reason, ids in why.items():
        yield f"{ids[0]}{f' and {len(ids) - 1} more' if len(ids) > 1 else ''}: {reason}"


def _reasons(cell: Calibrated) -> Iterator[str]:
    if cell.failed:
        yield cell.failed
        return
    if cell.rounds < MIN_ROUNDS:
        yield f"{cell.rounds} rounds state no rates and no floor; they need {MIN_ROUNDS}"
    if cell.why_no_slowdowns:
        yield f"identical code only: {cell.why_no_slowdowns}"
    for one in cell.slowed:
        if one.why:
            yield f"no {_signed(one.asked)}: {one.why}"
        elif one.rounds < MIN_ROUNDS <= cell.rounds:
            yield f"no rate for {_signed(one.asked)}: {one.rounds} rounds; it needs {MIN_ROUNDS}"
