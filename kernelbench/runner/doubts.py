"""Which case rounds are to be measured once more: those without a quiet moment, those of a slow machine."""

from collections.abc import Iterable, Sequence

from kernelbench.model import Case

Key = tuple[int, str]
"""(round, case id)."""


class Doubts:
    """Case rounds whose measurement should not stand."""

    def __init__(self, disturbed: Iterable[Key]) -> None:
        self._disturbed = set(disturbed)
        self._slow: set[Key] = set()

    def disturbed(self, key: Key) -> None:
        """The round met no quiet moment."""
        self._disturbed.add(key)

    def slow(self, key: Key) -> None:
        """The machine was at some half of its speed."""
        self._slow.add(key)

    def settled(self, key: Key) -> None:
        """It has been measured again, or for the first time."""
        self._disturbed.discard(key)
        self._slow.discard(key)

    def once_more(self, cases: Sequence[Case], dead: set[str], *, slow_only: bool = False) -> list[tuple[int, Case]]:
        """One round of each case in doubt: its first of a slow machine, else its first disturbed one.

        One only, so that the rounds of a case stay in processes of their own.
        """
        first: dict[str, int] = {}
        for keys in (self._slow, set() if slow_only else self._disturbed):
            for index, case_id in sorted(keys):
                first.setdefault(case_id, index)
        return [(first[case.id], case) for case in cases if case.id in first and case.id not in dead]
