"""Machine cards: the ceilings of one machine, kept in the user's cache folder for later runs.

The folder only saves time. A card that cannot be kept, found or trusted is a reason in words, never an error.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct

from kernelbench.errors import StoreError
from kernelbench.model import METHOD_VERSION, SCHEMA_VERSION, Ceiling, Machine
from kernelbench.remember import cache_folder
from kernelbench.store.atomic import write_text_atomic

MAX_AGE_S = 7 * 86400.0
"""An older card is not used: a week has room for a new kernel, firmware or neighbour."""

NO_CARD = "no card"


class Card(Struct, frozen=True):
    """The ceilings of one machine, as `kernelbench ceilings` measured them."""

    schema_version: int
    method_version: int
    created: str
    """UTC, ISO 8601."""
    source_hash: str
    """Of the code that measures ceilings."""
    quick: bool
    """Measured with `--quick`: a coarser ladder and fewer probes."""
    machine: Machine
    ceilings: tuple[Ceiling, ...]


class _Head(Struct, frozen=True):
    """As much as decides whether the rest is worth decoding."""

    schema_version: int
    method_version: int
    created: str
    source_hash: str


def path_of(machine_id: str) -> Path:
    """Where the card of a machine is kept."""
    return cache_folder() / "ceilings" / f"{machine_id}.json"


def save(card: Card) -> Path | str:
    """Keep ``card`` in place of the machine's earlier one: its path, or why it could not be kept."""
    path = path_of(card.machine.id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, encode(card))
    except OSError as error:
        return f"{path.parent} cannot be made: {error.strerror or error}"
    except StoreError as error:
        return str(error)
    return path


def encode(card: Card) -> str:
    """The card's file: indented JSON, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(card), indent=1).decode() + "\n"


def load(machine_id: str, source_hash: str, now: str, max_age_s: float = MAX_AGE_S) -> Card | str:
    """The machine's card, or why there is none that may be used: "no card", "8 days old", "measured by other code".

    ``now`` is UTC, ISO 8601, as in the card. A damaged file is a reason as well.
    """
    path = path_of(machine_id)
    try:
        data = path.read_bytes()
        head = msgspec.json.decode(data, type=_Head)
        reason = _unusable(head, source_hash, now, max_age_s)
        if reason:
            return reason
        card = msgspec.json.decode(data, type=Card)
    except FileNotFoundError:
        return NO_CARD
    except OSError as error:
        return f"the card cannot be read: {error.strerror or error}"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"the card is damaged: {error}"
    fault = next(_faults(card, machine_id), "")
    return f"the card is damaged: {fault}" if fault else card


def forget(machine_id: str) -> str:
    """Remove the machine's card: empty, or why it is still there."""
    try:
        path_of(machine_id).unlink(missing_ok=True)
    except OSError as error:
        return f"the earlier card cannot be removed: {error.strerror or error}"
    return ""


def _unusable(head: _Head, source_hash: str, now: str, max_age_s: float) -> str:
    if head.schema_version != SCHEMA_VERSION:
        return f"schema {head.schema_version}, this kernelbench reads {SCHEMA_VERSION}"
    if head.method_version != METHOD_VERSION:
        return f"measured by method {head.method_version}, this kernelbench uses {METHOD_VERSION}"
    if head.source_hash != source_hash:
        return "measured by other code"
    age_s = _seconds_between(head.created, now)
    if isinstance(age_s, str):
        return age_s
    if age_s < 0:
        return f"dated {head.created}, which is later than now"
    return _age(age_s) if age_s > max_age_s else ""


def _seconds_between(created: str, now: str) -> float | str:
    try:
        begin = datetime.fromisoformat(created)
    except ValueError:
        return f"the card is damaged: created is {created[:40]!r}, not an ISO 8601 time"
    if begin.tzinfo is None:
        return f"the card is damaged: created {created!r} names no time zone"
    return (datetime.fromisoformat(now) - begin).total_seconds()


def _age(age_s: float) -> str:
    """ "8 days old"; hours where it is less than two days."""
    count, unit = (age_s / 86400, "days") if age_s >= 2 * 86400 else (age_s / 3600, "hours")
    return f"{count:.0f} {unit} old"


def _faults(card: Card, machine_id: str) -> Iterator[str]:
    """What types cannot say: another machine's numbers, or a value that would divide by zero."""
    if card.machine.id != machine_id:
        yield f"it is of machine {card.machine.id!r}"
    for ceiling in card.ceilings:
        if ceiling.machine != machine_id:
            yield f"{ceiling.id} is of machine {ceiling.machine!r}"
        if (ceiling.value is UNSET) == (ceiling.skipped is UNSET):
            yield f"{ceiling.id} has not exactly one of a value and a reason why it was skipped"
        if any(value <= 0 for value in _numbers(ceiling)):
            yield f"{ceiling.id} holds {min(_numbers(ceiling)):g}, not above 0"


def _numbers(ceiling: Ceiling) -> list[float]:
    """Everything of a ceiling that must be above 0."""
    maybe = (ceiling.value, ceiling.working_set_bytes, *(p.clock_hz for p in ceiling.probes))
    known = [value for value in maybe if not isinstance(value, msgspec.UnsetType)]
    return [*known, *(probe.value for probe in ceiling.probes), ceiling.threads]
