"""A result without what only single samples show: what compares thousands of cells need not wait for it.

The same structs, in which the fields that are left out go by names that no file has; what a reader does not know it
skips. Nothing that is read this way may be written.
"""

from msgspec import field

from kernelbench.model import Failed, Interference, Measured, Record, Result, Round, Skipped


class LeanInterference(Interference, frozen=True, omit_defaults=True):
    """Only what says which samples count."""

    involuntary_switches: tuple[int, ...] = field(default=(), name="-involuntary_switches")
    page_faults: tuple[int, ...] = field(default=(), name="-page_faults")
    clock_hz: tuple[float, ...] = field(default=(), name="-clock_hz")
    adds_per_cycle: tuple[float, ...] = field(default=(), name="-adds_per_cycle")


class LeanRound(Round, frozen=True, omit_defaults=True):
    """A round with lean interference."""

    interference: LeanInterference = LeanInterference()


class LeanMeasured(Measured, frozen=True, tag="measured", tag_field="kind", omit_defaults=True, kw_only=True):
    """Lean rounds."""

    rounds: tuple[LeanRound, ...]


class LeanRecord(Record, frozen=True, omit_defaults=True, kw_only=True):
    """A lean outcome."""

    outcome: LeanMeasured | Skipped | Failed


class LeanResult(Result, frozen=True, omit_defaults=True):
    """Lean records."""

    records: tuple[LeanRecord, ...] = ()
