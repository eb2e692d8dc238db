"""How ops and variants are declared; the same decorators serve the catalogue and a user's own file.

    relu = Op(name="relu", summary="y[n] = max(x[n], 0)", dims=("n",), inputs=..., ...)

    @relu.variant(style="naive", dtypes=("f64", "f32"))
    @njit
    def naive(x, y): ...

A variant is called as ``function(*inputs, *outputs)`` and writes its outputs. A Numba function is
entered through the compiled trampoline; any other callable is called from Python and labelled so.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from msgspec import UNSET, UnsetType

from kernelbench.errors import UsageError
from kernelbench.kernels._check import Check
from kernelbench.model import DTYPE_BYTES, STYLES, Dtypes, OpInfo, VariantInfo, Work

Shape = Mapping[str, int]
Arrays = tuple[Any, ...]
"""Operands: NumPy arrays, and integers (a size, an address)."""
Outputs = tuple[tuple[tuple[int, ...], str], ...]
"""(shape, dtype) of each output."""
F = TypeVar("F", bound=Callable[..., Any])

NUMPY: dict[str, np.dtype[Any]] = {
    "f64": np.dtype(np.float64),
    "f32": np.dtype(np.float32),
    "i32": np.dtype(np.int32),
    "i8": np.dtype(np.int8),
    "u8": np.dtype(np.uint8),
}
"""NumPy's name of each number type."""

_OPS: dict[str, Op] = {}
_VARIANTS: dict[str, Variant] = {}


def random_values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Values of either sign with magnitude in [0.5, 1): neither zero nor denormal, and no sum grows fast.

    Drawn as bits: a random sign and mantissa under the exponent of 0.5. Raises UsageError for a type other than
    f64 and f32.
    """
    if dtype not in _BITS:
        raise UsageError(f"random_values makes f64 and f32, not {dtype!r}; make f32 and quantize it in prepare()")
    keep, half = _BITS[dtype]
    bits: np.ndarray = rng.integers(0, np.iinfo(keep.dtype).max, shape, dtype=keep.dtype, endpoint=True)
    bits &= keep
    bits |= half
    return bits.view(NUMPY[dtype])


_BITS: dict[str, tuple[np.unsignedinteger[Any], np.unsignedinteger[Any]]] = {
    "f64": (np.uint64(0x800F_FFFF_FFFF_FFFF), np.uint64(0x3FE0_0000_0000_0000)),
    "f32": (np.uint32(0x807F_FFFF), np.uint32(0x3F00_0000)),
}
"""Per type, as unsigned words of its size: the bits kept (sign and mantissa), the exponent of 0.5."""


@dataclass(frozen=True)
class Op:
    """What is computed: owns its inputs, its reference and its work model.

    Raises UsageError when another op of this name exists.
    """

    name: str
    summary: str
    """The formula with its shapes."""
    dims: tuple[str, ...]
    """Dimension names in order."""
    inputs: Callable[[Shape, str, np.random.Generator], Arrays]
    """(shape, dtype, rng) -> input arrays."""
    outputs: Callable[[Shape, str], Outputs]
    """(shape, dtype) -> shape and dtype of each output."""
    work: Callable[[Shape, str], Work]
    """(shape, dtype) -> the work of one call."""
    check: Check
    """Compares outputs with the op's independent reference."""

    def __post_init__(self) -> None:
        if self.name in _OPS:
            raise UsageError(f"op {self.name!r} is declared twice; choose another name")
        _OPS[self.name] = self

    @property
    def info(self) -> OpInfo:
        """The op as data."""
        return OpInfo(self.name, self.summary, self.dims)

    def variant(
        self,
        *,
        style: str,
        dtypes: tuple[str, ...],
        name: str = "",
        parallel: bool = False,
        python_flops: float | UnsetType = UNSET,
        prepare: Callable[[Arrays], Arrays] | None = None,
        outputs: Callable[[Shape, str], Outputs] | None = None,
        work: Callable[[Shape, str], Work] | None = None,
        check: Check | None = None,
        types: Dtypes | UnsetType = UNSET,
        unavailable: Callable[[], str] | None = None,
    ) -> Callable[[F], F]:
        """Declare a variant of this op; returns the function unchanged.

        ``prepare`` turns the op's inputs into this variant's, ahead of timing (quantize, pack, look up a
        library's symbol). ``outputs``, ``work`` and ``check`` override the op's. ``unavailable`` says
        why it cannot run here, or "". Raises UsageError for a duplicate name or an unknown style or dtype.
        """

        def register(function: F) -> F:
            short = name or getattr(function, "__name__", style)
            Variant(
                name=f"{self.name}/{short}",
                op=self,
                style=style,
                dtypes=dtypes,
                function=function,
                parallel=parallel,
                python_flops=python_flops,
                prepare=prepare or (lambda inputs: inputs),
                outputs=outputs or self.outputs,
                work=work or self.work,
                check=check or self.check,
                types=types,
                unavailable=unavailable or (lambda: ""),
            )
            return function

        return register


@dataclass(frozen=True)
class Inputs:
    """What a variant is called with, before its outputs."""

    arrays: Arrays
    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Variant:
    """One implementation of an op."""

    name: str
    op: Op
    style: str
    dtypes: tuple[str, ...]
    function: Callable[..., Any] = field(repr=False)
    parallel: bool
    python_flops: float | UnsetType
    prepare: Callable[[Arrays], Arrays] = field(repr=False)
    outputs: Callable[[Shape, str], Outputs] = field(repr=False)
    work: Callable[[Shape, str], Work] = field(repr=False)
    check: Check = field(repr=False)
    types: Dtypes | UnsetType
    unavailable: Callable[[], str] = field(repr=False)

    def __post_init__(self) -> None:
        if self.name in _VARIANTS:
            raise UsageError(f"variant {self.name!r} is declared twice; choose another name")
        if self.style not in STYLES:
            raise UsageError(f"variant {self.name!r} has unknown style {self.style!r}; styles are {', '.join(STYLES)}")
        unknown = [d for d in self.dtypes if d not in DTYPE_BYTES]
        if unknown or not self.dtypes:
            raise UsageError(f"variant {self.name!r}: dtypes {self.dtypes!r} must be among {', '.join(DTYPE_BYTES)}")
        _VARIANTS[self.name] = self

    @property
    def compiled(self) -> bool:
        """True when the function is a Numba dispatcher, entered through the trampoline."""
        return hasattr(self.function, "overloads")

    @property
    def info(self) -> VariantInfo:
        """The variant as data."""
        doc = (self.function.__doc__ or "").strip().splitlines()
        return VariantInfo(
            name=self.name,
            op=self.op.name,
            style=self.style,
            dtypes=self.dtypes,
            summary=doc[0] if doc else "",
            fastmath=_reassociates(self.function),
            parallel=self.parallel,
            compiled=self.compiled,
            module=self.function.__module__,
            python_flops=self.python_flops,
            unavailable=self.unavailable(),
        )

    def make_inputs(self, shape: Shape | int, dtype: str, seed: int = 0) -> Inputs:
        """Prepared inputs for ``shape`` (an int: all dimensions equal) of ``dtype``; the same for the same seed.

        Raises UsageError for a dtype the variant lacks.
        """
        if dtype not in self.dtypes:
            raise UsageError(f"{self.name} has no dtype {dtype!r}; it has {', '.join(self.dtypes)}")
        sizes = dict.fromkeys(self.op.dims, shape) if isinstance(shape, int) else dict(shape)
        made = self.op.inputs(sizes, dtype, np.random.default_rng(seed))
        return Inputs(self.prepare(made), sizes, dtype)

    def call(self, inputs: Inputs) -> Any:
        """Run it once from Python on ``inputs``; returns the output array, or a tuple of several."""
        made = tuple(np.empty(size, NUMPY[kind]) for size, kind in self.outputs(inputs.shape, inputs.dtype))
        self.function(*inputs.arrays, *made)
        return made[0] if len(made) == 1 else made


def _reassociates(function: Callable[..., Any]) -> bool:
    """True when the compiler may reassociate: contracting a*b+c into an FMA alone is not fast-math."""
    flags = getattr(function, "targetoptions", {}).get("fastmath", False)
    return flags if isinstance(flags, bool) else bool(set(flags) - {"contract"})


def load_catalogue() -> None:
    """Import every op file of this package; those beginning with "_" are helpers."""
    package = importlib.import_module("kernelbench.kernels")
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"kernelbench.kernels.{module.name}")


def ops() -> dict[str, Op]:
    """Every declared op by name."""
    return dict(_OPS)


def variants() -> dict[str, Variant]:
    """Every declared variant by full name, in the order of the ladder within its op."""
    return dict(sorted(_VARIANTS.items(), key=lambda kv: (kv[1].op.name, STYLES.index(kv[1].style))))
