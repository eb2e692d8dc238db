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
from kernelbench.kernels import _function, _params, _tunable
from kernelbench.kernels._check import Check, undeclared_check
from kernelbench.kernels._operands import OperandWork, undeclared_work
from kernelbench.kernels._shapes import Arrays as Arrays
from kernelbench.kernels._shapes import Inputs as Inputs
from kernelbench.kernels._shapes import Outputs as Outputs
from kernelbench.kernels._shapes import Shape as Shape
from kernelbench.kernels._symbol import CFunction
from kernelbench.kernels._values import NUMPY as NUMPY
from kernelbench.kernels._values import random_values as random_values
from kernelbench.model import DTYPE_BYTES, STYLES, Dtypes, OpInfo, ParamValues, VariantInfo, Work

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
    work: Callable[[Shape, str], Work] = undeclared_work
    """(shape, dtype) -> the work of one call; absent: the bytes of the operands, and no FLOP."""
    check: Check = undeclared_check
    """Compares outputs with the op's independent reference, or with another variant (``same_as``)."""
    params: Mapping[str, ParamValues] = field(default_factory=dict)
    """Parameters beyond the dimensions, each with the values measured by default."""
    sizes: tuple[str, ...] = ()
    """Sizes measured when the user names none ("512x1024"); empty: those of every op."""
    square: bool = True
    """False where equal dimensions make no sense: a bare number is then no size of this op."""

    def __post_init__(self) -> None:
        if self.name in _OPS:
            raise UsageError(f"op {self.name!r} is declared twice; choose another name")
        if self.check is undeclared_check:
            raise UsageError(f'op {self.name!r} has no check; compare with a reference, or with kb.same_as("naive")')
        if self.work is undeclared_work:
            object.__setattr__(self, "work", OperandWork(self.inputs, self.outputs))
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
        tunable: Mapping[str, tuple[int, ...]] | None = None,
    ) -> Callable[[F], F]:
        """Declare a variant of this op; returns the function unchanged.

        ``prepare(inputs, shape)`` turns the op's inputs into this variant's, ahead of timing (quantize, pack,
        look up a library's symbol). ``params`` are parameters of this variant alone, each with the values
        measured by default. ``outputs``, ``work`` and ``check`` override the op's. ``unavailable`` says why it
        cannot run here, or "". ``tunable``: as of ``Variant``; ``prepare`` finds each in ``shape``.
        Raises UsageError for a duplicate name, an unknown style or dtype, an unfit parameter.
        """

        def register(function: F) -> F:
            full = f"{self.name}/{name or getattr(function, '__name__', style)}"
            prepared, made = prepare or (lambda inputs, shape: inputs), outputs or self.outputs
            own_check, own_work = check or self.check, work or self.work
            if isinstance(own_work, OperandWork):
                own_work = OperandWork(self.inputs, made, prepared, tunable or {})
            Variant(
                name=full,
                op=self,
                style=style,
                dtypes=dtypes,
                function=function,
                parallel=parallel,
                python_flops=python_flops,
                own_params=params or {},
                prepare=prepared,
                outputs=made,
                work=own_work,
                check=own_check.of(full) if hasattr(own_check, "of") else own_check,
                types=types,
                unavailable=unavailable or _function.unavailable(function),
                tunable=tunable or {},
            )
            return function

        return register


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
    tunable: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Whole numbers that change its speed and nothing else, each with the values to try, the default first."""

    def __post_init__(self) -> None:
        if self.name in _VARIANTS:
            where = getattr(_VARIANTS[self.name].function, "__module__", "another module")
            raise UsageError(f"variant {self.name!r} is declared twice, in {where} as well; choose another name")
        if self.style not in STYLES:
            raise UsageError(f"variant {self.name!r} has unknown style {self.style!r}; styles are {', '.join(STYLES)}")
        unknown = [d for d in self.dtypes if d not in DTYPE_BYTES]
        if unknown or not self.dtypes:
            raise UsageError(f"variant {self.name!r}: dtypes {self.dtypes!r} must be among {', '.join(DTYPE_BYTES)}")
        _params.checked(f"variant {self.name!r}", self.own_params, (*self.op.dims, *self.op.params))
        _tunable.checked(f"variant {self.name!r}", self.tunable, (*self.op.dims, *self.params))
        _VARIANTS[self.name] = self

    @property
    def params(self) -> dict[str, ParamValues]:
        """Its op's parameters and its own, each with the values measured by default."""
        return {**self.op.params, **self.own_params}

    @property
    def compiled(self) -> bool:
        """True when it is machine code, entered through the trampoline: a Numba dispatcher or a C function."""
        return _function.is_machine_code(self.function)

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
            fastmath=_function.reassociates(self.function),
            parallel=self.parallel,
            compiled=self.compiled,
            foreign=isinstance(self.function, CFunction),
            module=getattr(self.function, "__module__", "") or "",
            params=self.params,
            python_flops=self.python_flops,
            unavailable=self.unavailable(),
            types=self.types,
            tunable=dict(self.tunable),
        )

    def whole(self, shape: Shape | int) -> Shape:
        """``shape`` (an int: all equal) and the default of every parameter it leaves out, tunable ones too."""
        sizes = dict.fromkeys(self.op.dims, shape) if isinstance(shape, int) else dict(shape)
        return sizes | {name: v[0] for name, v in (self.params | {**self.tunable}).items() if name not in sizes}

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
        # A C function takes the dimensions by name.
        self.function(*inputs.arrays, *made, **(inputs.shape if isinstance(self.function, CFunction) else {}))
        return made[0] if len(made) == 1 else made


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
