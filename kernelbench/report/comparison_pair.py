"""Two sides of a comparison page: their verdicts, and the files that they are made of."""

from collections import Counter
from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.cell import VERDICTS, Cell, Comparison
from kernelbench.analysis.match import Key, indexed
from kernelbench.model import Record, Result
from kernelbench.report.comparison_words import Named, natural
from kernelbench.report.text import safe_text


class Pair(Struct, frozen=True):
    """One result compared with BASE."""

    named: Named
    base: Result | UnsetType = UNSET
    new: Result | UnsetType = UNSET
    """Both are one and the same file where `ab` measured; absent where there is no file."""

    @property
    def comparison(self) -> Comparison:
        """Its cells and notes."""
        return self.named.comparison

    @property
    def in_turns(self) -> bool:
        """True when both sides were measured in turns (`ab`), false for two stored runs."""
        return isinstance(self.base, UnsetType) or self.base.kind == "ab"

    @property
    def across(self) -> bool:
        """True when the two files share no machine."""
        if isinstance(self.base, UnsetType) or isinstance(self.new, UnsetType):
            return False
        return not self.base.machines.keys() & self.new.machines.keys()


class Both(Struct, frozen=True):
    """A cell and what was recorded for it on both sides."""

    cell: Cell
    base: Record
    new: Record


def pairs(comparisons: Sequence[Named], results: Sequence[tuple[str, Result]]) -> tuple[Pair, ...]:
    """Each comparison with its files: ``results`` are BASE and every NEW, the one file of `ab`, or none."""
    if not results:
        return tuple(Pair(named) for named in comparisons)
    base = results[0][1]
    news = [one for _, one in results[1:]] or [base] * len(comparisons)
    return tuple(Pair(named, base, new) for named, new in zip(comparisons, news, strict=True))


def headings(shown: Sequence[Pair]) -> list[str]:
    """What each NEW is called on the page, safe to show, no two alike."""
    met: Counter[str] = Counter()
    found = []
    for pair in shown:
        name = safe_text(pair.named.new) or "NEW"
        met[name] += 1
        found.append(name if met[name] == 1 else f"{name} ({met[name]})")
    return found


def gravest(cells: Sequence[Cell]) -> list[Cell]:
    """The cells by verdict, the gravest first; of one verdict those that moved furthest first."""
    return sorted(cells, key=lambda cell: (VERDICTS.index(cell.verdict), -moved(cell), natural(cell.case_id)))


def moved(cell: Cell) -> float:
    """How far a cell's time moved, as a factor of at least 1, whichever way; 0 without a ratio."""
    return 0.0 if isinstance(cell.ratio, UnsetType) else max(cell.ratio, 1 / cell.ratio)


def recorded(pair: Pair) -> list[Both]:
    """The cells of which both files hold a record. Raises IncomparableError as ``match.indexed`` does."""
    if isinstance(pair.base, UnsetType) or isinstance(pair.new, UnsetType):
        return []
    before, after = indexed(pair.base, pair.across), indexed(pair.new, pair.across)
    # A case of several machines has a cell for each: they stand in the order of the records, as do these keys.
    cells: dict[str, list[Cell]] = {}
    for cell in reversed(pair.comparison.cells):
        cells.setdefault(cell.case_id, []).append(cell)
    keys: dict[Key, None] = dict.fromkeys([*before, *after])
    own = {key: cells[key[1]].pop() for key in keys if cells.get(key[1])}
    return [Both(cell, before[key], after[key]) for key, cell in own.items() if key in before and key in after]
