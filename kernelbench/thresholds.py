"""From which effect on a difference counts: one share for every cell, and others for the cells that globs name."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from kernelbench.errors import UsageError

DEFAULT_THRESHOLD = 0.05

ACCEPTED = "a share such as 5% or 0.05, or one for some cells such as 'matmul/*=10%'"


class Thresholds(Struct, frozen=True):
    """The smallest share of the time that counts as an effect (0.05 = 5%), by case."""

    default: float = DEFAULT_THRESHOLD
    rules: tuple[tuple[str, float], ...] = ()
    """(glob on case ids or variant names, share), as given: of those that match a case the last one wins."""

    def of(self, case_id: str) -> float:
        """The threshold of one case."""
        return next((share for glob, share in reversed(self.rules) if _matches(glob, case_id)), self.default)

    def idle(self, case_ids: Iterable[str]) -> tuple[str, ...]:
        """Globs that match none of ``case_ids``: likely misspelled."""
        ids = tuple(case_ids)
        globs = dict.fromkeys(glob for glob, _ in self.rules)
        return tuple(glob for glob in globs if not any(_matches(glob, case_id) for case_id in ids))


def parse(texts: Sequence[str]) -> Thresholds:
    """Thresholds as typed: "5%", "0.05" or "GLOB=10%"; of several plain shares the last one counts.

    Raises UsageError for a share that is not above 0 and below 1, and for an empty glob.
    """
    default = DEFAULT_THRESHOLD
    rules = []
    for text in texts:
        # Case ids hold equals signs themselves (matmul/*/n=512/*): the last one sets the share apart.
        glob, equals, share = text.rpartition("=")
        if not equals:
            default = _share(text, text)
        elif not glob.strip():
            raise UsageError(f"--threshold {text!r} names no cells before '='; give {ACCEPTED}")
        else:
            rules.append((glob.strip(), _share(share, text)))
    return Thresholds(default, tuple(rules))


def _share(text: str, whole: str) -> float:
    try:
        value = float(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError as error:
        raise UsageError(f"--threshold {whole!r}: {text!r} is not a number; give {ACCEPTED}") from error
    if not 0 < value < 1:
        raise UsageError(f"--threshold {whole!r}: {text!r} is not between 0% and 100%; give {ACCEPTED}")
    return value


def _matches(glob: str, case_id: str) -> bool:
    variant = "/".join(case_id.split("/", 2)[:2])
    return fnmatchcase(case_id, glob) or fnmatchcase(variant, glob)
