"""What is measured: ops and variants as data, a case and its id, the work of one call."""

from msgspec import UNSET, Struct, UnsetType

STYLES = (
    "python",
    "naive",
    "vectorized",
    "tiled",
    "packed",
    "parallel",
    "gpu_style",
    "fused",
    "quantized",
    "sparse",
    "lowrank",
    "library",
)
"""Every style, in the order of the ladder."""

CACHE_STATES = ("warm", "cold")

DTYPE_BYTES = {"f64": 8, "f32": 4, "bf16": 2, "f16": 2, "i32": 4, "i8": 1, "u8": 1}
"""Bytes per element (s in the work models)."""


Param = int | float | str
"""A value of a parameter (causal=1, sparsity=0.9)."""

ParamValues = tuple[Param, ...]
"""Values of one parameter: those measured by default, or those asked for."""


class Dtypes(Struct, frozen=True, omit_defaults=True):
    """Number types where they differ within one case (weight-only, quantized)."""

    weights: str | UnsetType = UNSET
    activations: str | UnsetType = UNSET
    accumulator: str | UnsetType = UNSET


class Work(Struct, frozen=True, omit_defaults=True):
    """What one call does. Absent fields: the kernel declares no such model."""

    model: str
    """"modelled" (the op's formula), "declared" (the user's) or "absent"."""
    flop: float | UnsetType = UNSET
    """Floating-point or integer operations (a multiply-add is 2); absent for pure data movement."""
    mix: str | UnsetType = UNSET
    """Compute instruction mix that bounds it: "fma", "add", "fma_add", "dot"; absent: no compute roof applies."""
    read_bytes: float | UnsetType = UNSET
    """Compulsory bytes read."""
    write_bytes: float | UnsetType = UNSET
    """Compulsory bytes written."""
    rfo_bytes: float | UnsetType = UNSET
    """Extra bytes read for ownership of written lines (an upper bound), kept apart from the above."""
    working_set_bytes: float | UnsetType = UNSET
    """Bytes of all operands touched by one call."""
    prepared_bytes: float | UnsetType = UNSET
    """Bytes prepared ahead of timing (quantized or packed operands); absent when nothing is."""


class Case(Struct, frozen=True, omit_defaults=True):
    """variant x dtype x shape x params x threads x isa x cache state. ``id`` is the only join key."""

    id: str
    op: str
    """"matmul"."""
    variant: str
    """Full name, "matmul/tiled"."""
    style: str
    """One of ``STYLES``."""
    dtype: str
    """Key of ``DTYPE_BYTES``."""
    shape: dict[str, int]
    """Named dimensions in the op's order, always all of them ({"m": 512, "n": 512, "k": 512})."""
    threads: int
    isa: str = "native"
    cache: str = "warm"
    params: dict[str, Param] = {}
    """Parameters of the op and the variant beyond the shape (causal, sparsity, group)."""
    dtypes: Dtypes | UnsetType = UNSET
    tuned: bool = False
    tuning: dict[str, int] = {}
    """Every tunable parameter of a tuned case with its value; empty where all have their defaults."""

    @property
    def settings(self) -> dict[str, Param]:
        """Dimensions and parameters by name, as an op's functions take them."""
        return {**self.shape, **self.params}


class Accuracy(Struct, frozen=True, omit_defaults=True):
    """How exact the verified output was. The worst over all rounds is kept."""

    metric: str
    """What ``value`` is, in words ("max |error| / (|A| |B|)")."""
    value: float
    reference: str
    """What it was compared with ("float64 reference")."""
    tolerance: float
    """Largest ``value`` that passes. For integer kernels the integers must match exactly as well."""
    snr_db: float | UnsetType = UNSET
    """Signal-to-noise ratio against float64; absent where exact (it would be infinite)."""


class OpInfo(Struct, frozen=True):
    """An op as data: what a planner needs to know without importing its kernels."""

    name: str
    summary: str
    """One sentence: the formula with its shapes."""
    dims: tuple[str, ...]
    """Dimension names in order; a bare size n means all of them equal n."""
    params: dict[str, ParamValues] = {}
    """Parameters beyond the dimensions, each with the values measured by default."""
    sizes: tuple[str, ...] = ()
    """Sizes measured when the user names none; empty: ``sizes.DEFAULT_SIZES``."""
    square: bool = True
    """False where equal dimensions make no sense: a bare size is then none of this op's."""


class VariantInfo(Struct, frozen=True, omit_defaults=True):
    """A variant as data."""

    name: str
    """"matmul/tiled"."""
    op: str
    style: str
    dtypes: tuple[str, ...]
    summary: str
    """First line of its docstring."""
    fastmath: bool
    """True when the compiler may reassociate."""
    parallel: bool
    """True when it uses every thread it is given; others run at one thread only."""
    compiled: bool
    """True when entered through the trampoline; False when it is called from Python."""
    module: str
    """Where it is defined: dotted name or the user's file."""
    params: dict[str, ParamValues] = {}
    """Parameters of its op and its own, each with the values measured by default."""
    python_flops: float | UnsetType = UNSET
    """Assumed operations per second of an interpreted variant, to cap its size; absent for others."""
    unavailable: str = ""
    """Why it cannot run here (a missing library or instruction); empty when it can."""
    types: Dtypes | UnsetType = UNSET
    """Number types within a call where they differ from its dtype: weights of 4 bits in an f32 product."""
    foreign: bool = False
    """True for machine code that was not made here (a C function): it exists at no other instruction-set level."""
    tunable: dict[str, tuple[int, ...]] = {}
    """Parameters that change its speed and nothing else, each with the values to try, the default first."""


def case_id(
    variant: str,
    dtype: str,
    shape: dict[str, int],
    threads: int,
    *,
    params: dict[str, Param] | None = None,
    isa: str = "native",
    cache: str = "warm",
    tuned: bool = False,
) -> str:
    """The join key of a case: ``matmul/tiled/f32/n=512/t=1``.

    Dimensions that are all equal shrink to ``n=``; parameters follow the dimensions; isa, cache state
    and tuning appear only when not the default.
    """
    sizes = list(shape.values())
    square = len(sizes) > 1 and len(set(sizes)) == 1
    named = {"n": sizes[0]} if square else dict(shape)
    dims = ",".join(f"{k}={v}" for k, v in {**named, **(params or {})}.items())
    tail = [f"isa={isa}"] if isa != "native" else []
    tail += [cache] if cache != "warm" else []
    tail += ["tuned"] if tuned else []
    return "/".join([variant, dtype, dims, f"t={threads}", *tail])
