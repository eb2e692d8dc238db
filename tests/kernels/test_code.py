"""The rungs of the ladder are what they say they are, in the code the compiler emits."""

import platform

import pytest

from kernelbench.native.assembly import isa_used
from tests.kernels.running import assembly

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")


@pytest.mark.parametrize("name", ["matmul/naive", "relu/naive", "triad/naive"])
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_a_naive_kernel_computes_one_element_at_a_time(name: str, dtype: str) -> None:
    assert isa_used(assembly(name, dtype)) == "scalar"


@pytest.mark.parametrize("name", ["matmul/vectorized", "relu/vectorized", "triad/vectorized"])
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_a_vectorized_kernel_computes_in_vectors(name: str, dtype: str) -> None:
    assert isa_used(assembly(name, dtype)) != "scalar"
