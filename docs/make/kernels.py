"""Writes docs/KERNELS.md, the catalogue as the registry has it: `python docs/make/kernels.py`.

Nothing on that page is written by hand. Formulas, parameters, sizes, variants and work come from the ops; the text
under "Work of one call" is the header of the op's file; the tolerance is what the op's own check answers for the
simplest variant at a small size. Whether a library is installed here makes no difference.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from msgspec import UnsetType

from kernelbench.kernels import _registry
from kernelbench.kernels._check import EPS, Verification
from kernelbench.kernels._registry import Op, Variant
from kernelbench.model import STYLES, Accuracy, ParamValues, Work
from kernelbench.sizes import shapes
from kernelbench.units import size_bytes, three_digits

PAGE = Path(__file__).parents[1] / "KERNELS.md"

GROUPS = {
    "Products": ("matmul", "gemv", "lowrank"),
    "Compressed models": ("spmv", "spmm", "block_sparse", "structured_sparse", "quantize", "dequantize"),
    "Layers": ("conv2d", "depthwise_conv2d", "attention", "attention_decode", "softmax", "layernorm", "rmsnorm"),
    "Activations": ("relu", "sigmoid", "silu", "gelu", "gelu_tanh", "bias_relu", "bias_gelu"),
    "Vectors": ("add", "multiply", "axpy", "triad", "squared_difference", "copy", "read", "transpose", "batch_relu"),
    "Reductions": ("sum", "dot", "max", "euclidean", "cosine"),
}
"""Headings of the page; an op that none of them names comes last, under "Others"."""

INTRODUCTION = """\
# The kernels

*Generated from the registry by `python docs/make/kernels.py`; a test says when it is stale.*

{count} variants of {ops} ops. `kernelbench list` shows the same in the terminal, with what is not available on your
machine and why; `kernelbench list --json` is for scripts. Each op is one file of
[kernelbench/kernels](../kernelbench/kernels), to be read top to bottom.

* **Style** is the rung of the ladder: {styles}.
* **Threads**: "all" uses every thread it is given. "From Python" means that the time includes a call from Python.
* **Work** is what one call does by the op's model: operations (a multiply-add is two), compulsory bytes (each operand
  once), the bytes of all operands, and the intensity, at the sizes measured by default (s = bytes per element).
* **Tolerance** is the largest error that passes, for the variant and size named; where long sums round more often it
  grows with the size. u is the unit roundoff, 2⁻²⁴ in f32 and 2⁻⁵³ in f64. What errs by more is `failed`, never timed.
  [METHOD](METHOD.md#verification) says how outputs are verified. Variants with *a check of their own* (other number
  types, other orders of addition) have it in their file.
"""

_FEW_DIMS = 3
_SMALL = {True: 64, False: 8}
"""Largest dimension at which a check is asked, with few dimensions and with many: interpreted loops take a second."""


def page() -> str:
    """The whole text of docs/KERNELS.md."""
    _registry.load_catalogue()
    # Kernels of tests or of a user may have been declared in this process as well.
    ops = {name: op for name, op in _registry.ops().items() if op.inputs.__module__.startswith("kernelbench.")}
    variants = [v for v in _registry.variants().values() if v.op.name in ops and _ours(v)]
    styles = ", ".join(f"`{style}`" for style in dict.fromkeys(v.style for v in sorted(variants, key=_rung)))
    blocks = [INTRODUCTION.format(count=len(variants), ops=len(ops), styles=styles), _contents(ops)]
    for title, names in _grouped(ops).items():
        blocks.append(f"## {title}")
        blocks += [_section(ops[name], [v for v in variants if v.op.name == name]) for name in names]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def _ours(variant: Variant) -> bool:
    return variant.function.__module__.startswith("kernelbench.")


def _rung(variant: Variant) -> int:
    return STYLES.index(variant.style)


def _grouped(ops: Mapping[str, Op]) -> dict[str, list[str]]:
    named = {title: [name for name in names if name in ops] for title, names in GROUPS.items()}
    met = {name for names in named.values() for name in names}
    others = [name for name in sorted(ops) if name not in met]
    return named | ({"Others": others} if others else {})


def _contents(ops: Mapping[str, Op]) -> str:
    lines = []
    for title, names in _grouped(ops).items():
        links = ", ".join(f"[{name}](#{name})" for name in names)
        lines.append(f"* {title}: {links}")
    return "\n".join(lines)


def _section(op: Op, variants: list[Variant]) -> str:
    lines = [f"### {op.name}", "", f"`{op.summary}`", ""]
    files = dict.fromkeys(Path(inspect.getfile(_module(v))).name for v in variants)
    links = ", ".join(f"[{name}](../kernelbench/kernels/{name})" for name in files)
    lines += [f"Dimensions {', '.join(op.dims)}{_params(op.params)}. Source: {links}.", "", *_ladder(op, variants)]
    for module in dict.fromkeys(_module(v) for v in variants):
        if text := _work_text(module):
            lines += ["", "```text", text, "```"]
    lines += ["", *_work_table(op, variants), "", _tolerance(op, variants)]
    return "\n".join(lines)


def _module(variant: Variant) -> ModuleType:
    return sys.modules[variant.function.__module__]


def _params(params: Mapping[str, ParamValues]) -> str:
    if not params:
        return ""
    values = ("`" + f"{name}={','.join(map(str, values))}" + "`" for name, values in params.items())
    return f"; parameters, with the values measured by default: {', '.join(values)}"


def _ladder(op: Op, variants: list[Variant]) -> Iterator[str]:
    yield "| variant | style | types | threads | what it does |"
    yield "|---|---|---|---|---|"
    for v in variants:
        own = "; ".join(f"`{name}={','.join(map(str, values))}`" for name, values in v.own_params.items())
        notes = [
            v.info.summary,
            f"Parameters: {own}." if own else "",
            "Fast-math: sums may be reordered." if v.info.fastmath else "",
            "From Python." if not v.compiled and "Python" not in v.info.summary else "",
            "A check of its own." if v.check is not op.check else "",
        ]
        threads = "all" if v.parallel else "1"
        what = _cell(" ".join(note for note in notes if note))
        yield f"| `{v.name}` | {v.style} | {_types(v)} | {threads} | {what} |"


def _types(variant: Variant) -> str:
    words = " ".join(variant.dtypes)
    if isinstance(variant.types, UnsetType):
        return words
    kinds = variant.types
    parts = {"weights": kinds.weights, "activations": kinds.activations, "sums": kinds.accumulator}
    return f"{words} ({', '.join(f'{name} {kind}' for name, kind in parts.items() if not isinstance(kind, UnsetType))})"


def _work_text(module: ModuleType) -> str:
    """The paragraph of the file's header that derives its FLOP and bytes; empty where it has none."""
    paragraphs = inspect.cleandoc(module.__doc__ or "").split("\n\n")
    return next((p for p in paragraphs if p.startswith("Work of one call")), "")


def _work_table(op: Op, variants: list[Variant]) -> Iterator[str]:
    dtype = _dtype(variants[0])
    settled = {name: values[0] for name, values in op.params.items()}
    chosen = "".join(f", {name}={value}" for name, value in settled.items())
    yield f"| {' x '.join(op.dims)}, {dtype}{chosen} | operations | bytes | operands | FLOP/B |"
    yield "|---:|---:|---:|---:|---:|"
    for shape in shapes((), op.info).fits:
        work = op.work({**shape, **settled}, dtype)
        size = " x ".join(str(number) for number in shape.values())
        cells = (size, _counted(work.flop), _moved(work), _size(work.working_set_bytes), _intensity(work))
        yield f"| {' | '.join(cells)} |"


def _counted(count: float | UnsetType) -> str:
    if isinstance(count, UnsetType) or count == 0:
        return "none"
    return f"{three_digits(count / 1e6)} million" if count >= 1e6 else f"{three_digits(count / 1e3)} thousand"


def _moved(work: Work) -> str:
    if isinstance(work.read_bytes, UnsetType) or isinstance(work.write_bytes, UnsetType):
        return ""
    return size_bytes(work.read_bytes + work.write_bytes)


def _size(value: float | UnsetType) -> str:
    return "" if isinstance(value, UnsetType) else size_bytes(value)


def _intensity(work: Work) -> str:
    flop, read, write = work.flop, work.read_bytes, work.write_bytes
    if isinstance(flop, UnsetType) or isinstance(read, UnsetType) or isinstance(write, UnsetType) or flop == 0:
        return ""
    return three_digits(flop / (read + write))


def _dtype(variant: Variant) -> str:
    return "f32" if "f32" in variant.dtypes else variant.dtypes[0]


def _tolerance(op: Op, variants: list[Variant]) -> str:
    """What the op's check says of its naive rung, else of NumPy's, called from Python at a small size."""
    asked = [v for v in variants if v.check is op.check] or variants
    plain = [v for v in asked if v.style == "naive" and _runs_uncompiled(v)]
    simplest = (plain + [v for v in asked if v.name == f"{op.name}/numpy"])[0]
    accuracy, size = verified(simplest)
    if accuracy.tolerance == 0:
        most = "is 0"
    elif accuracy.tolerance < 1e-3:
        most = f"is at most {three_digits(accuracy.tolerance / EPS[_dtype(simplest)])} u"
    else:
        most = f"is at most {three_digits(accuracy.tolerance)}"
    return f"Tolerance: `{accuracy.metric}` {most} at {size}, against {accuracy.reference} (`{simplest.name}`)."


def _runs_uncompiled(variant: Variant) -> bool:
    """False where Numba's compiler has to stand in: its intrinsics have no meaning in Python."""
    from numba.core.extending import _Intrinsic

    used = inspect.getclosurevars(getattr(variant.function, "py_func", variant.function)).globals.values()
    return not any(isinstance(value, _Intrinsic) for value in used)


def verified(variant: Variant) -> tuple[Accuracy, str]:
    """What its check answers at a small size, and that size: "m=64,n=64,k=64". Raises WrongResult."""
    import numpy as np

    first = shapes((), variant.op.info).fits[0]
    shape = {name: min(size, _SMALL[len(first) <= _FEW_DIMS]) for name, size in first.items()}
    inputs = variant.make_inputs(variant.whole(shape), _dtype(variant), seed=0)
    made = variant.outputs(inputs.shape, inputs.dtype)
    outputs = tuple(np.zeros(size, _registry.NUMPY[kind]) for size, kind in made)
    # Uncompiled where there is a Python function behind it: compiling them all would take minutes.
    with np.errstate(over="ignore"):  # integers that wrap, as `read` has them, are meant to
        getattr(variant.function, "py_func", variant.function)(*inputs.arrays, *outputs)
    raw = variant.op.inputs(inputs.shape, inputs.dtype, np.random.default_rng(0))
    asked = Verification(inputs.shape, inputs.dtype, 0, raw, inputs.arrays, outputs, {})
    return variant.check(asked), ",".join(f"{name}={size}" for name, size in shape.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
