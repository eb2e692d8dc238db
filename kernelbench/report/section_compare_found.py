"""What a comparison found, in sentences: the verdicts, whether the host moved, and what the verdicts are worth."""

from collections.abc import Iterator, Sequence

from msgspec import Struct, UnsetType

from kernelbench.analysis.cell import VERDICTS, Cell
from kernelbench.analysis.host import CLEARLY, speeds
from kernelbench.report.comparison_pair import Pair, gravest
from kernelbench.report.comparison_words import about, counts, mean_text, ratio_text
from kernelbench.report.text import safe_text
from kernelbench.units import percent


class Look(Struct, frozen=True):
    """How a verdict looks: colour and shape say the same, for who sees only one of them."""

    colour: str
    """Reads on white and on #1c2026 (contrast 3 to 1)."""
    shape: str
    """A Vega symbol: triangles point to where the time went."""
    glyph: str
    """The same shape as a character."""
    meaning: str


LOOKS = {
    "regressed": Look("#dc4f2d", "triangle-right", "▶", "slower by more than the threshold, beyond doubt"),
    "failed": Look("#c8459a", "cross", "✚", "crashed or wrong in NEW"),
    "improved": Look("#2b8fd6", "triangle-left", "◀", "faster by more than the threshold, beyond doubt"),
    "ambiguous": Look("#b8860b", "diamond", "◆", "neither shown to differ nor shown to be equal"),
    "new": Look("#8072d8", "square", "■", "a time in NEW only"),
    "missing": Look("#8072d8", "square", "□", "a time in BASE only"),
    "incomparable": Look("#8a8f98", "square", "◌", "no two times that mean the same thing"),
    "unchanged": Look("#868c96", "circle", "●", "shown to be equal, to within the threshold"),
}


class Count(Struct, frozen=True):
    """How many cells have a verdict."""

    verdict: str
    number: int
    look: Look


def found(pair: Pair) -> str:
    """The verdicts in one sentence, safe to show: "2 of 20 cells regressed, the worst ... by 12.0%; 18 unchanged"."""
    comparison = pair.comparison
    if comparison.compared_nothing:
        return f"Nothing was compared: no cell has a time on both sides ({counts(comparison)})."
    total = len(comparison.cells)
    parts = [_changed(comparison.cells, "regressed", total), _changed(comparison.cells, "improved", 0)]
    rest = [f"{number} {verdict}" for verdict, number in comparison.counts.items() if verdict not in _WORST]
    failed = [text for text in rest if text.endswith(" failed")]
    others = ", ".join(text for text in rest if text not in failed)
    return "; ".join(filter(None, [parts[0], *failed, parts[1], others])) + "."


_WORST = {"regressed": "the worst", "improved": "the best"}


def tally(pair: Pair) -> tuple[Count, ...]:
    """The cells by verdict, the gravest first."""
    return tuple(Count(verdict, number, LOOKS[verdict]) for verdict, number in pair.comparison.counts.items())


def host(pair: Pair) -> str:
    """Whether the host moved between the two sides, in one sentence."""
    if pair.in_turns or isinstance(pair.base, UnsetType) or isinstance(pair.new, UnsetType):
        return "Both sides took turns on one machine: what happened to the host happened to both."
    if pair.across:
        return "Two machines: what is compared is how close each side comes to its own machine's roof."
    moves = speeds(pair.base, pair.new)
    if not moves.known:
        return "The two runs share no ceilings: whether the host moved between them cannot be told."
    if not moves.moved:
        return (
            f"The host held still: of {moves.known} ceilings none moved by more than {percent(CLEARLY)} or its scatter."
        )
    return (
        f"The host moved: {moves.moved} of {moves.known} ceilings differ by more than {percent(CLEARLY)} and scatter."
    )


def mean(pair: Pair) -> str:
    """The geometric mean over the matched cells, as a sentence; empty without one."""
    text = mean_text(pair.comparison.cells)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def method(shown: Sequence[Pair]) -> tuple[str, ...]:
    """How the numbers were obtained and what they are worth, each sentence once."""
    return tuple(dict.fromkeys(line for pair in shown for line in _method(pair)))


def meanings(shown: Sequence[Pair]) -> tuple[Count, ...]:
    """The verdicts that occur, with their meanings."""
    totals = {v: sum(pair.comparison.count(v) for pair in shown) for v in VERDICTS}
    return tuple(Count(verdict, number, LOOKS[verdict]) for verdict, number in totals.items() if number)


def _method(pair: Pair) -> Iterator[str]:
    if pair.in_turns:
        yield (
            "Paired: BASE and NEW took turns on one core, on the same memory, in fresh pairs of processes. What looked "
            "changed was confirmed on fresh rounds before it counted: the strongest comparison there is here."
        )
    else:
        yield (
            "Stored runs: BASE was measured first and NEW later, so that a change of the host looks like one of the "
            "code. Weaker than a paired comparison (`kernelbench ab`), and it asks for more evidence."
        )
        yield (
            "Ratio: the median of all quotients of NEW's and BASE's process rounds (Hodges-Lehmann); its interval is "
            "the exact one of Mann and Whitney, 95% for a cell alone. Verdicts hold for all cells at once."
        )
    text = about(pair.comparison)
    yield f"{text[0].upper()}{text[1:]}."
    yield from (safe_text(note if note.endswith(".") else f"{note}.") for note in pair.comparison.notes)


def _changed(cells: Sequence[Cell], verdict: str, total: int) -> str:
    """ "2 of 20 cells regressed, the worst ... by 12.0%"; without ``total`` empty where there are none."""
    those = gravest([cell for cell in cells if cell.verdict == verdict])
    if not those:
        nothing = f"None of {total} cells {verdict}" if total > 1 else f"The one cell has not {verdict}"
        return nothing if total else ""
    of = f" of {total} {'cell' if total == 1 else 'cells'}" if total else ""
    worst = f", {_WORST[verdict]}" if len(those) > 1 else ":"
    return f"{len(those)}{of} {verdict}{worst} {safe_text(those[0].case_id)}{_by(those[0])}"


def _by(cell: Cell) -> str:
    if isinstance(cell.ratio, UnsetType):
        return ""
    if cell.ratio >= 2:
        return f" to {ratio_text(cell.ratio)} times BASE's time"
    return f" by {percent(abs(cell.ratio - 1))}"
