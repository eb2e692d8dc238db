"""Tunable parameters: declared soundly, handed to the kernel, and every value of them gives the right result."""

from collections.abc import Mapping

import numpy as np
import pytest

from kernelbench.errors import UsageError
from kernelbench.kernels import _gemm
from kernelbench.kernels._tunable import checked
from tests.kernels.running import VARIANTS, ran, sizes

TUNABLE = [name for name, variant in VARIANTS.items() if variant.tunable]
LARGE = {
    # Several slices, blocks and bands at the smallest values, ragged at the largest.
    "matmul": sizes("matmul", 150, 530, 700),
    "transpose": sizes("transpose", 70, 530),
    "spmm": {**sizes("spmm", 60, 70, 150), "sparsity": 0.5},
}


@pytest.mark.parametrize("name", TUNABLE)
def test_every_value_of_a_parameter_gives_the_right_result(name: str) -> None:
    variant = VARIANTS[name]
    shape = LARGE[variant.op.name]
    for parameter, values in variant.tunable.items():
        for value in values:
            variant.check(ran(name, "f32", {**shape, parameter: value}, offset=1))


@pytest.mark.parametrize("name", TUNABLE)
def test_the_smallest_and_the_largest_values_together_give_the_right_result(name: str) -> None:
    variant = VARIANTS[name]
    for pick in (min, max):
        chosen = {parameter: pick(values) for parameter, values in variant.tunable.items()}
        variant.check(ran(name, "f64", {**LARGE[variant.op.name], **chosen}))


def test_the_scratch_of_the_packed_product_grows_with_its_blocks() -> None:
    small, usual = _gemm.workspace_bytes(640, 1024), _gemm.workspace_bytes(_gemm.KC_BYTES, _gemm.NC_BYTES)
    assert small < usual == _gemm.WORKSPACE_BYTES
    assert usual % 4096 == 0


def test_a_variant_is_called_with_its_defaults() -> None:
    made = VARIANTS["matmul/tiled"].make_inputs(8, "f32")
    assert made.arrays[2:] == tuple(values[0] for values in VARIANTS["matmul/tiled"].tunable.values())
    np.testing.assert_allclose(VARIANTS["matmul/tiled"].call(made), made.arrays[0] @ made.arrays[1], rtol=1e-5)


def test_the_catalogue_tells_what_can_be_tuned() -> None:
    assert VARIANTS["matmul/tiled"].info.tunable["kc"][0] == 64
    assert VARIANTS["matmul/naive"].info.tunable == {}


@pytest.mark.parametrize(
    ("tunable", "complaint"),
    [
        ({"kc": (64,)}, "tunable 'kc' has one value, 64"),
        ({"kc": (64, 0.5)}, "tunable 'kc' has a value 0.5; values are whole numbers"),
        ({"kc": (64, 64)}, "each once"),
        ({"m": (1, 2)}, "cannot be called 'm'"),
        ({"k c": (1, 2)}, "cannot be called 'k c'"),
    ],
)
def test_a_declaration_that_cannot_be_tuned_is_refused(tunable: Mapping, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        checked("variant 'matmul/mine'", tunable, ("m", "n", "k"))
