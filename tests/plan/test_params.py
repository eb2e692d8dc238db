"""Parameters beyond the shape: what is measured by default, what --param and a matrix change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench import params
from kernelbench.config import Config, Flags, Matrix, override
from kernelbench.errors import UsageError
from kernelbench.model import OpInfo, VariantInfo
from kernelbench.plan import Plan, expand
from tests.plan.registry import LEVELS, variant

CAUSAL = {"causal": (0, 1)}
OPS = (
    OpInfo("attention", "o = softmax(q k) v", ("s", "d"), params=CAUSAL, sizes=("128x64", "512x64"), square=False),
    OpInfo("spmv", "y = A x", ("n",), params={"sparsity": (0.5,)}),
    OpInfo("relu", "y = max(x, 0)", ("n",)),
)
VARIANTS = (
    variant("attention/naive", dtypes=("f32",), params=CAUSAL),
    variant("attention/tiled", dtypes=("f32",), params={**CAUSAL, "block": (32, 64)}),
    variant("spmv/naive", dtypes=("f32",), params={"sparsity": (0.5,)}),
    variant("relu/naive", dtypes=("f32",)),
)


def plan(config: Config = Config(), flags: Flags = Flags()) -> Plan:  # noqa: B008
    return expand(override(config, flags), OPS, VARIANTS, usable_threads=1, isa_levels=LEVELS)


def settled(found: Plan) -> list[str]:
    """The shape and parameters of each case, as ids write them."""
    return [case.id.removesuffix("/t=1").replace("/f32", "") for case in found.cases]


def test_every_combination_of_the_default_values_is_a_case_with_the_ops_own_values_first() -> None:
    only = Config(matrix=(Matrix(kernels=("attention/*",), sizes=("attention:128x64",)),))
    assert settled(plan(only)) == [
        "attention/naive/s=128,d=64,causal=0",
        "attention/tiled/s=128,d=64,causal=0,block=32",
        "attention/tiled/s=128,d=64,causal=0,block=64",
        "attention/naive/s=128,d=64,causal=1",
        "attention/tiled/s=128,d=64,causal=1,block=32",
        "attention/tiled/s=128,d=64,causal=1,block=64",
    ]


def test_a_case_holds_its_parameters_beside_its_shape() -> None:
    case = plan(flags=Flags(kernels=("spmv/*",))).cases[0]
    assert (case.shape, case.params) == ({"n": 256}, {"sparsity": 0.5})
    assert case.settings == {"n": 256, "sparsity": 0.5}


def test_given_values_take_the_place_of_the_defaults_of_every_kernel_that_has_the_parameter() -> None:
    found = settled(plan(flags=Flags(params=("block=16",), sizes=("attention:8x4",))))
    assert [id for id in found if "tiled" in id] == [
        "attention/tiled/s=8,d=4,causal=0,block=16",
        "attention/tiled/s=8,d=4,causal=1,block=16",
    ]
    assert "attention/naive/s=8,d=4,causal=1" in found
    assert "relu/naive/n=256" in found


def test_a_flag_wins_over_a_matrix_and_a_matrix_over_the_defaults() -> None:
    config = Config(matrix=(Matrix(kernels=("spmv/*",), params={"sparsity": (0.8, 0.9)}),))
    assert settled(plan(config)) == ["spmv/naive/n=256,sparsity=0.8", "spmv/naive/n=256,sparsity=0.9"]
    assert settled(plan(config, Flags(params=("sparsity=0.7",)))) == ["spmv/naive/n=256,sparsity=0.7"]


def test_a_parameter_given_twice_has_the_values_of_both() -> None:
    given = Flags(kernels=("spmv/*",), params=("sparsity=0.9", "sparsity=0.10, 0.9"))
    assert [case.params["sparsity"] for case in plan(flags=given).cases] == [0.1, 0.9]


def test_a_whole_number_for_a_decimal_parameter_is_the_same_case_as_the_decimal() -> None:
    found = plan(flags=Flags(kernels=("spmv/*",), params=("sparsity=0,0.0,1",)))
    assert settled(found) == ["spmv/naive/n=256,sparsity=0.0", "spmv/naive/n=256,sparsity=1.0"]


def test_a_parameter_that_no_selected_kernel_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no selected kernel has a parameter 'sparcity'; did you mean sparsity"):
        plan(flags=Flags(params=("sparcity=0.5",)))
    with pytest.raises(UsageError, match="no selected kernel has a parameter 'block'; they have none"):
        plan(flags=Flags(kernels=("relu/*",), params=("block=8",)))


def test_a_matrix_keeps_its_parameters_when_the_selection_is_narrowed() -> None:
    config = Config(matrix=(Matrix(params={"block": (8,)}),))
    assert settled(plan(config, Flags(kernels=("relu/*",)))) == ["relu/naive/n=256"]
    with pytest.raises(UsageError, match="no kernel has a parameter 'bloc'"):
        plan(Config(matrix=(Matrix(params={"bloc": (8,)}),)))


@pytest.mark.parametrize(("given", "kind"), [("block=0.5", "a whole number"), ("sparsity=high", "a number")])
def test_a_value_of_another_kind_is_refused_with_the_defaults(given: str, kind: str) -> None:
    with pytest.raises(UsageError, match=rf"param {given}: .* takes {kind} there; by default"):
        plan(flags=Flags(params=(given,)))


@pytest.mark.parametrize("text", ["", "x", "=1", "x=", "x=1,", "1x=2", "x=1/2", "x=a b", "x=nan()", "x=" + "9" * 30])
def test_a_parameter_that_cannot_be_read_is_refused_with_the_accepted_form(text: str) -> None:
    with pytest.raises(UsageError, match=r"NAME=VALUE,VALUE \(sparsity=0\.5,0\.9\)"):
        params.parse((text,))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab_=,.1e-+ ", max_size=12))
def test_any_text_is_values_or_a_usage_error(text: str) -> None:
    try:
        found = params.parse((text,))
    except UsageError:
        return
    assert all(name.isidentifier() and values for name, values in found.items())


def test_an_op_without_a_size_has_its_own_defaults() -> None:
    only = Config(matrix=(Matrix(kernels=("attention/naive",), params={"causal": (0,)}),))
    assert [case.shape["s"] for case in plan(only).cases] == [128, 512]
    assert [case.shape["s"] for case in plan(only, Flags(sizes=("relu:9",))).cases] == [128, 512]


def test_a_bare_number_is_no_size_of_an_op_whose_dimensions_mean_different_things() -> None:
    found = plan(Config(matrix=(Matrix(kernels=("attention/*",), sizes=(64, "16x8")),)))
    assert {case.shape["s"] for case in found.cases} == {16}
    assert found.skipped[0][1] == "attention has no equal dimensions: give each its own, s x d"


def test_words_and_numbers_are_ordered_each_among_themselves() -> None:
    ordered = sorted([{"x": "b"}, {"x": 10}, {"x": 9.5}, {"x": "a"}], key=params.order)
    assert [values["x"] for values in ordered] == [9.5, 10, "a", "b"]


def test_a_variant_without_parameters_has_one_combination() -> None:
    plain: VariantInfo = variant("relu/naive")
    assert params.combinations(plain, {"block": (1, 2)}) == ({},)
