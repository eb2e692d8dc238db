"""What `calibrate` found this host to be able to tell apart, by case: kept under the cache folder, used by `ab`.

One file for each machine and way of measuring. A cell keeps its floor until it is calibrated again.
"""

import math
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from kernelbench.errors import StoreError
from kernelbench.model import METHOD_VERSION
from kernelbench.remember import cache_folder
from kernelbench.store.atomic import advice, write_text_atomic

FRESH = timedelta(days=30)
"""Hosts change their neighbours, kernels and firmware: older floors are used, with a note."""


class Floor(Struct, frozen=True):
    """The floor of one cell."""

    share: float
    """Smallest threshold at which 95% of its A/A screens ended as `unchanged` (0.02 = 2%)."""
    rounds: int
    """A/A rounds that it is made of."""
    created: str
    """When it was measured; UTC, ISO 8601."""
    config: str
    """Name of the configuration it was measured with."""


class Floors(Struct, frozen=True):
    """The floors of one machine."""

    machine: str
    """Machine id."""
    method_version: int
    floors: dict[str, Floor] = {}
    """By case id."""

    def shares(self) -> dict[str, float]:
        """The floor of every cell, by case id."""
        return {case_id: floor.share for case_id, floor in self.floors.items()}


class Loaded(Struct, frozen=True):
    """The floors that are kept, and what is wrong with the file, in words; empty when nothing is."""

    floors: Floors
    fault: str = ""


NONE = Loaded(Floors("", METHOD_VERSION))
"""No floors, and nothing wrong with that."""


def path_of(machine: str) -> Path:
    """Where the floors of a machine are kept."""
    return cache_folder() / f"floors-{machine}-method{METHOD_VERSION}.json"


def load(machine: str) -> Loaded:
    """The floors of a machine; none where there is no file, or, with the reason, where it cannot be used."""
    path, none = path_of(machine), Floors(machine, METHOD_VERSION)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Floors)
    except FileNotFoundError:
        return Loaded(none)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        fault = error.strerror if isinstance(error, OSError) else str(error)
        return Loaded(none, _unusable(path, fault or "it cannot be read"))
    fault = _fault(found, none)
    return Loaded(none, _unusable(path, fault)) if fault else Loaded(found)


def keep(machine: str, shares: Mapping[str, float], rounds: Mapping[str, int], created: str, config: str) -> Path:
    """Keep new floors, and those of other cells as they were; the file. Raises StoreError when the disk refuses.

    ``shares`` and ``rounds`` are by case id; ``created`` is ISO 8601.
    """
    fresh = {case_id: Floor(share, rounds[case_id], created, config) for case_id, share in shares.items()}
    found = load(machine).floors
    path = path_of(machine)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path} was not written: {advice(error, path.parent)}") from error
    data = msgspec.json.encode(msgspec.structs.replace(found, floors={**found.floors, **fresh}), order="sorted")
    write_text_atomic(path, msgspec.json.format(data, indent=1).decode() + "\n")
    return path


def notes(loaded: Loaded, used: Collection[str], now: datetime | None = None) -> tuple[str, ...]:
    """What the reader of verdicts should know of the floors that were ``used`` (case ids), a sentence each."""
    moment = now or datetime.now(UTC)
    ages = [moment - _utc(loaded.floors.floors[case_id].created) for case_id in used]
    old = [age.days for age in ages if age > FRESH]
    said = [loaded.fault] if loaded.fault else []
    if old:
        which = f"{len(old)} floors of this host are" if len(old) > 1 else "1 floor of this host is"
        said.append(f"{which} up to {max(old)} days old; `kernelbench calibrate` measures anew")
    return tuple(said)


def _utc(text: str) -> datetime:
    """A time without a zone is UTC."""
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _unusable(path: Path, fault: str) -> str:
    return f"this host's floors are not used: {path}: {fault}; `kernelbench calibrate` writes it anew"


def _fault(found: Floors, wanted: Floors) -> str:
    """Why what was read cannot be used; empty when it can."""
    if (found.machine, found.method_version) != (wanted.machine, wanted.method_version):
        return f"it is of machine {found.machine}, method {found.method_version}"
    for case_id, floor in found.floors.items():
        if not (math.isfinite(floor.share) and floor.share >= 0):
            return f"{case_id!r} has the floor {floor.share!r}"
        try:
            _utc(floor.created)
        except ValueError as error:
            return f"{case_id!r}: {error}"
    return ""
