"""A small registry as data, for planning without kernels."""

from kernelbench.model import IsaLevel, OpInfo, VariantInfo

OPS = (OpInfo("matmul", "C = A B", ("m", "n", "k")), OpInfo("relu", "y = max(x, 0)", ("n",)))

LEVELS = (IsaLevel("sse2", True), IsaLevel("avx2", True), IsaLevel("avx512", False, "the CPU lacks avx512f"))


def variant(name: str, style: str = "", dtypes: tuple[str, ...] = ("f64", "f32"), **more: object) -> VariantInfo:
    op, _, last = name.partition("/")
    facts: dict[str, object] = {
        "summary": "", "fastmath": False, "parallel": False, "compiled": True, "module": "kernelbench.kernels", **more
    }  # fmt: skip
    return VariantInfo(name, op, style or last, dtypes, **facts)  # type: ignore[arg-type]


VARIANTS = (
    variant("matmul/numpy", "library", compiled=False, parallel=True),
    variant("matmul/parallel", parallel=True),
    variant("matmul/python", dtypes=("f32",), compiled=False, python_flops=2e7),
    variant("matmul/naive"),
    variant("matmul/int8", "quantized", dtypes=("i8",)),
    variant("relu/naive"),
    variant("relu/parallel", parallel=True),
    variant("relu/odd", "library", unavailable="no library of that name is installed"),
)
