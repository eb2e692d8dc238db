"""What a function is called with: its arrays, their sizes and number type, and copies to work on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    import numpy as np

DTYPES = {
    "float64": "f64",
    "float32": "f32",
    "float16": "f16",
    "bfloat16": "bf16",
    "int32": "i32",
    "int8": "i8",
    "uint8": "u8",
}
"""NumPy's and torch's name of a number type -> ours."""


def arrays(value: Any) -> Iterator[Any]:
    """Every array in ``value``: of NumPy, torch or anything with ``nbytes`` and ``dtype``; in tuples and lists too."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from arrays(part)
    elif isinstance(getattr(value, "nbytes", None), int) and hasattr(value, "dtype") and hasattr(value, "shape"):
        yield value


def working_set_bytes(args: Sequence[Any], returned: Any) -> float | UnsetType:
    """Bytes of all arrays in ``args`` and ``returned``, each counted once; absent without any."""
    sizes = {id(one): one.nbytes for one in (*arrays(list(args)), *arrays(returned)) if _is_owner(one, args)}
    return float(sum(sizes.values())) if sum(sizes.values()) else UNSET


def _is_owner(array: Any, args: Sequence[Any]) -> bool:
    """False for a view of another operand (what was returned may be ``args[0][:n]``): its bytes are counted there."""
    base = getattr(array, "base", None)
    return base is None or not any(base is other for other in arrays(list(args)))


def dtype_of(args: Sequence[Any], returned: Any) -> str | UnsetType:
    """Our name of the number type that holds most bytes, floats before integers (those may be indices).

    Absent without an array of a type that has ceilings.
    """
    sizes: dict[str, int] = {}
    for one in (*arrays(list(args)), *arrays(returned)):
        # "float32" of NumPy, "torch.float32" of torch.
        name = str(one.dtype).rpartition(".")[2]
        if name in DTYPES:
            sizes[DTYPES[name]] = sizes.get(DTYPES[name], 0) + one.nbytes
    floats = {name: size for name, size in sizes.items() if name.startswith(("f", "b"))}
    best = floats or sizes
    return max(best, key=lambda name: best[name]) if best else UNSET


class Copies:
    """Copies of a function's arguments, so that the originals stay as they are, whatever is called on them.

    NumPy arrays lie aligned in one arena and can be written anew; anything else is deep-copied once.
    """

    def __init__(self, args: Sequence[Any]) -> None:
        """Raises MemoryError when they do not fit."""
        import numpy as np

        from kernelbench.timing.arena import Arena

        self._made: dict[int, Any] = {}
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []
        flat = [one for one in {id(x): x for x in args}.values() if isinstance(one, np.ndarray)]
        arena = Arena(Arena.room([one.nbytes for one in flat if _placeable(one)]) or 1, ())
        self._places = [next(i for i, x in enumerate(args) if x is one) for one in flat]
        for one in flat:
            placed = arena.copy(one) if _placeable(one) else _alike(one)
            self._made[id(one)] = placed
            self._pairs.append((placed, one.copy()))
        self.args = tuple(self._copied(x) for x in args)

    def _copied(self, value: Any) -> Any:
        import copy

        # One object given twice stays one: f(x, x) is another call than f(x, y).
        if id(value) not in self._made:
            self._made[id(value)] = copy.deepcopy(value)
        return self._made[id(value)]

    def restore(self) -> None:
        """Write every NumPy array anew."""
        import numpy as np

        for placed, pristine in self._pairs:
            np.copyto(placed, pristine)

    def snapshot(self, returned: Any) -> dict[str, Any]:
        """Copies of all arrays as they are now ("args[1]"), and of what was ``returned`` and is none of them."""
        import copy

        own = {id(one) for one in self._made.values()}
        new = [one for one in _leaves(returned) if id(one) not in own]
        arrays = {f"args[{i}]": one.copy() for i, (one, _) in zip(self._places, self._pairs, strict=True)}
        results = {f"result {i}" if len(new) > 1 else "the result": copy.deepcopy(one) for i, one in enumerate(new)}
        return arrays | results


def _placeable(array: np.ndarray) -> bool:
    """Plain numbers, in the order the arena makes."""
    return bool(array.flags.c_contiguous) and array.dtype.kind in "fiub" and array.size > 0


def _alike(array: np.ndarray) -> np.ndarray:
    """A copy with the same strides: packed, a strided kernel would be another one."""
    import numpy as np

    if array.dtype.hasobject or array.size == 0:
        return array.copy()
    low, high = np.lib.array_utils.byte_bounds(array)
    room = np.empty(high - low, np.uint8)
    made: np.ndarray = np.ndarray(array.shape, array.dtype, room, array.ctypes.data - low, array.strides)
    np.copyto(made, array)
    return made


def _leaves(returned: Any) -> list[Any]:
    if isinstance(returned, tuple | list):
        return [leaf for part in returned for leaf in _leaves(part)]
    return [] if returned is None else [returned]


def disagreement(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """How two snapshots differ, in words; empty when they agree.

    Floats agree within sqrt(eps) of the larger side's largest value: sums may run in another order, which costs far
    less, while a wrong index costs far more. Everything else must be equal.
    """
    if first.keys() != second.keys():
        odd = sorted(first.keys() ^ second.keys())
        return f"{', '.join(odd)} on one side alone; have both return theirs, or both write it into an argument"
    for name, one in first.items():
        found = _difference(one, second[name])
        if found:
            return f"{name}: {found}"
    return ""


def _difference(first: Any, second: Any) -> str:
    import numpy as np

    try:
        one, other = np.asarray(first), np.asarray(second)
    except (TypeError, ValueError, RuntimeError):
        # Nothing NumPy can hold (a sparse tensor, say): equality is all that can be asked, and its own to define.
        return "" if bool(first == second) else "not equal"
    if one.shape != other.shape:
        return f"shapes {one.shape} and {other.shape}"
    if one.dtype.kind not in "fc" or other.dtype.kind not in "fc":
        wrong = int(np.count_nonzero(one != other))
        return f"{wrong} of {one.size} elements differ" if wrong else ""
    coarser = max((one.dtype, other.dtype), key=lambda kind: float(np.finfo(kind).eps))
    finite = np.isfinite(one) & np.isfinite(other)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    scale = float(np.max(np.abs(np.where(finite, one, 0)), initial=0.0))
    error = np.abs(np.where(finite, one, 0) - np.where(finite, other, 0))
    wrong = np.where(finite, error > np.sqrt(np.finfo(coarser).eps) * scale, ~same)
    count = int(np.count_nonzero(wrong))
    return f"{count} of {one.size} elements differ, by up to {float(error.max()):.1e}" if count else ""
