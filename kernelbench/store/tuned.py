"""The parameters that `tune` found faster than the default: kept under the cache folder, used by `run`.

One file for each machine. A winner holds for its kernel, number type, threads and size class: every dimension to the
nearest power of two, by ratio. It is not used once the kernel declares other tunable parameters or values.
"""

import math
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from msgspec import Struct

from kernelbench.errors import StoreError
from kernelbench.model import Case, Tuning, Values, case_id
from kernelbench.remember import cache_folder
from kernelbench.store.atomic import advice, write_text_atomic


class Winner(Struct, frozen=True):
    """Parameters that are faster than the default."""

    variant: str
    """Full name."""
    tunable: dict[str, Values]
    """As the kernel declared it when it was tuned."""
    values: Values
    """One for each parameter."""
    ratio: float
    """Time over the default's, in the rounds that confirmed it."""
    case_id: str
    """The case that was tuned."""
    created: str
    """UTC, ISO 8601."""

    @property
    def chosen(self) -> dict[str, int]:
        """The values by name."""
        return dict(zip(self.tunable, self.values, strict=True))


class Winners(Struct, frozen=True):
    """Those of one machine."""

    machine: str
    """Machine id."""
    winners: dict[str, Winner] = {}
    """By ``class_of`` the case."""


class Loaded(Struct, frozen=True):
    """What is kept, and what is wrong with the file, in words; empty when nothing is."""

    winners: dict[str, Winner]
    fault: str = ""


def path_of(machine: str) -> Path:
    """Where the winners of a machine are kept."""
    return cache_folder() / f"tuned-{machine}.json"


def class_of(case: Case) -> str:
    """What a winner holds for: the case's id with every dimension at the nearest power of two, by ratio.

    724 and 1448 are in the class of 1024: 2^round(log2(dimension)).
    """
    shape = {name: 2 ** round(math.log2(max(1, size))) for name, size in case.shape.items()}
    return case_id(case.variant, case.dtype, shape, case.threads, params=case.params, isa=case.isa)


def load(machine: str) -> Loaded:
    """The winners of a machine; none where there is no file, or, with the reason, where it cannot be used."""
    path = path_of(machine)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Winners)
    except FileNotFoundError:
        return Loaded({})
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        fault = error.strerror if isinstance(error, OSError) else str(error)
        return Loaded({}, f"{path}: {fault or 'it cannot be read'}; `kernelbench tune` writes it anew")
    if found.machine != machine:
        return Loaded({}, f"{path}: it is of machine {found.machine}; `kernelbench tune` writes it anew")
    return Loaded(found.winners)


def usable(winner: Winner, tunable: dict[str, Values]) -> bool:
    """Whether the kernel still declares the parameters it was tuned with, and has these values for them."""
    if winner.tunable != tunable or len(winner.values) != len(tunable):
        return False
    return all(value in values for value, values in zip(winner.values, tunable.values(), strict=True))


def keep(found: Tuning) -> bool:
    """Keep the winner of ``found``; where that is the default, forget an earlier one. Says whether one was kept.

    Raises StoreError when the disk refuses.
    """
    key, winners = class_of(found.case), dict(load(found.machine).winners)
    winners.pop(key, None)
    if found.is_faster and isinstance(found.confirmed, Struct):
        winners[key] = Winner(
            found.case.variant, found.tunable, found.winner, found.confirmed.ratio, found.case.id, found.created
        )
    _write(found.machine, winners)
    return key in winners


def forget(machine: str, globs: Iterable[str]) -> tuple[str, ...]:
    """Forget the winners of the kernels that ``globs`` name: their classes. Raises StoreError when the disk refuses."""
    winners = load(machine).winners
    gone = tuple(key for key, one in winners.items() if any(fnmatchcase(one.variant, glob) for glob in globs))
    if gone:
        _write(machine, {key: one for key, one in winners.items() if key not in gone})
    return gone


def _write(machine: str, winners: dict[str, Winner]) -> None:
    path = path_of(machine)
    if not winners and not path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path} was not written: {advice(error, path.parent)}") from error
    data = msgspec.json.encode(Winners(machine, winners), order="sorted")
    write_text_atomic(path, msgspec.json.format(data, indent=1).decode() + "\n")
