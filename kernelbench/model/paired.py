"""What a paired comparison leaves: the two sides, and each cell with its rounds."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model.case import Case

QUIET = 0.97
"""Slices beside looks at this share of the most independent adds a cycle count as quiet."""
LEAST_QUIET = 12
"""Quiet pairs of turns that a round's ratio may be made of: fewer may all be of one moment."""


class SideInfo(Struct, frozen=True, omit_defaults=True):
    """One side of an A/B as the file tells it."""

    label: str
    """As the user named it."""
    kind: str
    """"ref", "folder", "file" or "python"."""
    commit: str = ""
    dirty: bool = False
    source_hash: str = ""
    """Hash of the sources under test."""


class PairRound(Struct, frozen=True, omit_defaults=True):
    """One cell in one round: two fresh processes that took turns."""

    index: int
    """Which round of the comparison."""
    log_ratio: float
    """Natural logarithm of HEAD's time over BASE's."""
    base_s: float
    """Seconds per call, median of the turns that count."""
    head_s: float
    pairs: int
    """Turns that each side had."""
    quiet_share: float = 1.0
    """Share of the pairs of turns that met a quiet core."""
    clock_ratio: float = 1.0
    """HEAD's core clock over BASE's."""


class PairedCell(Struct, frozen=True, omit_defaults=True):
    """One case on both sides."""

    case: Case
    threshold: float
    """What it was judged by: the user's, or this host's floor where that is larger."""
    screen: tuple[PairRound, ...] = ()
    confirm: tuple[PairRound, ...] = ()
    """Fresh rounds of a cell that the screen had flagged; nothing of the screen counts in them."""
    verdict: str = ""
    reason: str = ""
    shared: bool = True
    """Whether both sides worked in the same memory."""
    slowed: float | UnsetType = UNSET
    """Extra work put into HEAD on purpose, as a share of a call."""
