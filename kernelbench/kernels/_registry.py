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
from kernelbench.kernels import _params
from kernelbench.kernels._check import Check
from kernelbench.kernels._values import NUMPY as NUMPY
from kernelbench.kernels._values import random_values as random_values
from kernelbench.model import DTYPE_BYTES, STYLES, Dtypes, OpInfo, ParamValues, VariantInfo, Work

Shape = Mapping[str, Any]
"""Dimensions and parameters by name: {"m": 512, "n": 512, "k": 512, "causal": 1}."""
Arrays = tuple[Any, ...]
"""Operands: NumPy arrays, and integers (a size, an address)."""
Outputs = tuple[tuple[tuple[int, ...], str], ...]
"""(shape, dtype) of each output."""
F = TypeVar("F", bound=Callable[..., Any])

_OPS: dict[str, Op] = {}
_VARIANTS: dict[str, Variant] = {}


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
    params: Mapping[str, ParamValues] = field(default_factory=dict)
    """Parameters beyond the dimensions, each with the values measured by default."""
    sizes: tuple[str, ...] = ()
    """Sizes measured when the user names none ("512x1024"); empty: those of every op."""
    square: bool = True
    """False where equal dimensions make no sense: a bare number is then no size of this op."""

    def __post_init__(self) -> None:
        if self.name in _OPS:
            raise UsageError(f"op {self.name!r} is declared twice; choose another name")
        _params.checked(f"op {self.name!r}", self.params, self.dims)
        _OPS[self.name] = self

    @property
    def info(self) -> OpInfo:
        """The op as data."""
        return OpInfo(self.name, self.summary, self.dims, dict(self.params), self.sizes, self.square)

    def variant(
        self,
        *,
        style: str,
        dtypes: tuple[str, ...],
        name: str = "",
        parallel: bool = False,
        python_flops: float | UnsetType = UNSET,
        params: Mapping[str, ParamValues] | None = None,
        prepare: Callable[[Arrays, Shape], Arrays] | None = None,
        outputs: Callable[[Shape, str], Outputs] | None = None,
        work: Callable[[Shape, str], Work] | None = None,
        check: Check | None = None,
        types: Dtypes | UnsetType = UNSET,
        unavailable: Callable[[], str] | None = None,
    ) -> Callable[[F], F]:
        """Declare a variant of this op; returns the function unchanged.

        ``prepare(inputs, shape)`` turns the op's inputs into this variant's, ahead of timing (quantize, pack,
        look up a library's symbol). ``params`` are parameters of this variant alone, each with the values
        measured by default. ``outputs``, ``work`` and ``check`` override the op's. ``unavailable`` says why it
        cannot run here, or "". Raises UsageError for a duplicate name, an unknown style or dtype, an unfit
        parameter.
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
                own_params=params or {},
                prepare=prepare or (lambda inputs, shape: inputs),
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
    own_params: Mapping[str, ParamValues]
    """Parameters it has beside its op's."""
    prepare: Callable[[Arrays, Shape], Arrays] = field(repr=False)
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
        _params.checked(f"variant {self.name!r}", self.own_params, (*self.op.dims, *self.op.params))
        _VARIANTS[self.name] = self

    @property
    def params(self) -> dict[str, ParamValues]:
        """Its op's parameters and its own, each with the values measured by default."""
        return {**self.op.params, **self.own_params}

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
            params=self.params,
            python_flops=self.python_flops,
            unavailable=self.unavailable(),
            types=self.types,
        )

    def whole(self, shape: Shape | int) -> Shape:
        """``shape`` (an int: all dimensions equal) with the first default of every parameter it leaves out."""
        sizes = dict.fromkeys(self.op.dims, shape) if isinstance(shape, int) else dict(shape)
        return {**sizes, **{name: values[0] for name, values in self.params.items() if name not in sizes}}

    def make_inputs(self, shape: Shape | int, dtype: str, seed: int = 0) -> Inputs:
        """Prepared inputs for ``shape`` of ``dtype``; the same for the same seed.

        ``shape`` names dimensions and parameters, as ``whole`` says. Raises UsageError for a dtype the variant
        lacks.
        """
        if dtype not in self.dtypes:
            raise UsageError(f"{self.name} has no dtype {dtype!r}; it has {', '.join(self.dtypes)}")
        settled = self.whole(shape)
        made = self.op.inputs(settled, dtype, np.random.default_rng(seed))
        return Inputs(self.prepare(made, settled), settled, dtype)

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
