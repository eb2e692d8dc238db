"""Declaring ops and variants, and calling them from Python."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import UNSET
from numba import njit

from kernelbench.errors import UsageError
from kernelbench.kernels import _bf16
from kernelbench.kernels import _registry as registry
from kernelbench.kernels._check import Verification, close_to
from kernelbench.kernels._registry import NUMPY, Op, random_values
from kernelbench.model import DTYPE_BYTES, STYLES, Accuracy, Work
from kernelbench.sizes import parse, shapes
from tests.kernels.running import VARIANTS, all_variants, of_op, some_shape


@pytest.fixture
def nothing_else_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_OPS", {})
    monkeypatch.setattr(registry, "_VARIANTS", {})


def right(v: Verification) -> Accuracy:
    exact = 2 * v.inputs[0].astype(np.float64)
    return close_to(v.outputs[0], exact, 1.0, 0.0, metric="max |error|", reference="float64")


def double() -> Op:
    return Op(
        name="double",
        summary="y[n] = 2 x[n]",
        dims=("n",),
        inputs=lambda shape, dtype, rng: (random_values(rng, (shape["n"],), dtype),),
        outputs=lambda shape, dtype: (((shape["n"],), dtype),),
        work=lambda shape, dtype: Work(model="declared", flop=shape["n"]),
        check=right,
    )


def plain(x: np.ndarray, y: np.ndarray) -> None:
    """Doubles.

    A second paragraph.
    """
    np.multiply(x, 2, out=y)


@pytest.mark.usefixtures("nothing_else_declared")
def test_the_decorator_returns_the_function_unchanged_and_names_the_variant_after_it() -> None:
    assert double().variant(style="library", dtypes=("f32",))(plain) is plain
    assert list(registry.variants()) == ["double/plain"]


@pytest.mark.usefixtures("nothing_else_declared")
def test_a_variant_as_data_says_what_it_is() -> None:
    double().variant(style="library", dtypes=("f32",), name="np", unavailable=lambda: "no such library")(plain)
    info = registry.variants()["double/np"].info
    assert (info.op, info.style, info.summary, info.compiled) == ("double", "library", "Doubles.", False)
    assert info.unavailable == "no such library"


@pytest.mark.usefixtures("nothing_else_declared")
@pytest.mark.parametrize(("options", "reassociates"), [({}, False), ({"fastmath": {"contract"}}, False)])
def test_contracting_into_a_fused_multiply_add_is_not_fast_math(options: dict[str, object], reassociates: bool) -> None:
    double().variant(style="naive", dtypes=("f32",))(njit(**options)(plain))
    assert registry.variants()["double/plain"].info.fastmath is reassociates


@pytest.mark.usefixtures("nothing_else_declared")
@pytest.mark.parametrize("fastmath", [True, {"reassoc"}, {"contract", "nnan"}])
def test_permission_to_reassociate_is_fast_math(fastmath: object) -> None:
    double().variant(style="naive", dtypes=("f32",))(njit(fastmath=fastmath)(plain))
    assert registry.variants()["double/plain"].info.fastmath


@pytest.mark.usefixtures("nothing_else_declared")
def test_variants_come_in_the_order_of_the_ladder() -> None:
    op = double()
    for style in ("library", "naive", "tiled", "python"):
        op.variant(style=style, dtypes=("f32",), name=style)(plain)
    assert [v.style for v in registry.variants().values()] == ["python", "naive", "tiled", "library"]


@pytest.mark.usefixtures("nothing_else_declared")
@pytest.mark.parametrize(
    ("style", "dtypes", "complaint"),
    [
        ("blocked", ("f32",), r"unknown style 'blocked'; styles are python, naive"),
        ("naive", ("f31",), r"dtypes \('f31',\) must be among f64, f32"),
        ("naive", (), r"dtypes \(\) must be among"),
    ],
)
def test_a_variant_of_an_unknown_style_or_type_is_refused(style: str, dtypes: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        double().variant(style=style, dtypes=dtypes)(plain)


@pytest.mark.usefixtures("nothing_else_declared")
def test_the_same_name_twice_is_refused() -> None:
    op = double()
    op.variant(style="library", dtypes=("f32",))(plain)
    with pytest.raises(
        UsageError, match=r"variant 'double/plain' is declared twice, in tests\.kernels\.test_registry as well"
    ):
        op.variant(style="naive", dtypes=("f32",))(plain)
    with pytest.raises(UsageError, match="op 'double' is declared twice; choose another name"):
        double()


def test_a_variant_has_no_inputs_of_a_type_it_lacks() -> None:
    with pytest.raises(UsageError, match="matmul/tiled has no dtype 'i8'; it has f64, f32"):
        VARIANTS["matmul/tiled"].make_inputs(4, "i8")


def test_a_bare_size_stands_for_every_dimension() -> None:
    made = VARIANTS["matmul/vectorized"].make_inputs(4, "f32")
    assert made.shape == {"m": 4, "n": 4, "k": 4}
    assert [x.shape for x in made.arrays] == [(4, 4), (4, 4)]


def test_the_same_seed_makes_the_same_inputs_and_another_seed_others() -> None:
    first, same, other = (VARIANTS["relu/naive"].make_inputs(9, "f64", seed).arrays[0] for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("dtype", ["f64", "f32", "bf16"])
def test_random_values_are_of_either_sign_and_away_from_zero(dtype: str) -> None:
    drawn = random_values(np.random.default_rng(0), (40, 50), dtype)
    assert drawn.dtype == NUMPY[dtype]
    values = _bf16.decode(drawn) if dtype == "bf16" else drawn
    magnitudes = np.abs(values)
    assert values.shape == (40, 50)
    assert magnitudes.min() >= 0.5
    assert magnitudes.max() < 1
    assert magnitudes.mean() == pytest.approx(0.75, abs=0.02)
    assert 800 < np.count_nonzero(values < 0) < 1200


def test_random_integers_are_refused_with_what_to_do_instead() -> None:
    with pytest.raises(UsageError, match=r"makes f64, f32, bf16, not 'i8'; make f32 and quantize it in prepare\(\)"):
        random_values(np.random.default_rng(0), (3,), "i8")


PLAIN = [
    pair
    for op in ("relu", "triad", "matmul")
    for pair in of_op(op)
    if VARIANTS[pair[0]].work == VARIANTS[pair[0]].op.work
]


@pytest.mark.parametrize(("name", "dtype"), PLAIN)
def test_the_work_of_the_first_ops_counts_the_bytes_of_their_operands(name: str, dtype: str) -> None:
    variant = VARIANTS[name]
    shape = some_shape(variant, 24)
    work = variant.work(shape, dtype)
    s = DTYPE_BYTES[dtype]
    read = {"relu": 24 * s, "triad": 2 * 24 * s, "matmul": 2 * 24 * 24 * s}[variant.op.name]
    ((size, kind),) = variant.outputs(shape, dtype)
    written = int(np.prod(size)) * DTYPE_BYTES[kind]
    assert (work.read_bytes, work.write_bytes, work.rfo_bytes) == (read, written, written)
    assert work.working_set_bytes == read + written


@pytest.mark.parametrize(("name", "dtype"), all_variants())
def test_every_variant_counts_at_least_its_outputs_as_written_and_in_its_working_set(name: str, dtype: str) -> None:
    variant = VARIANTS[name]
    shape = some_shape(variant, 24)
    work = variant.work(shape, dtype)
    written = sum(int(np.prod(size)) * DTYPE_BYTES[kind] for size, kind in variant.outputs(shape, dtype))
    assert isinstance(work.write_bytes, int | float)
    assert isinstance(work.working_set_bytes, int | float)
    assert written <= work.write_bytes
    assert written <= work.working_set_bytes
    assert work.rfo_bytes is UNSET or 0 <= work.rfo_bytes <= work.write_bytes


def test_every_style_of_the_catalogue_is_known_and_every_variant_says_what_it_does() -> None:
    assert all(v.style in STYLES and v.info.summary for v in VARIANTS.values())


@pytest.mark.usefixtures("nothing_else_declared")
def test_a_variant_has_its_ops_parameters_and_its_own_and_the_first_default_where_none_is_named() -> None:
    op = replace(double(), name="causal_double", params={"causal": (0, 1)}, sizes=("12",))
    seen = []
    op.variant(
        style="library", dtypes=("f32",), params={"group": (32, 128)}, prepare=lambda x, shape: seen.append(shape) or x
    )(plain)
    variant = registry.variants()["causal_double/plain"]
    assert variant.info.params == {"causal": (0, 1), "group": (32, 128)}
    assert (op.info.params, op.info.sizes, op.info.square) == ({"causal": (0, 1)}, ("12",), True)
    assert variant.make_inputs({"n": 3, "group": 8}, "f32").shape == {"n": 3, "group": 8, "causal": 0}
    assert seen == [{"n": 3, "group": 8, "causal": 0}]


@pytest.mark.usefixtures("nothing_else_declared")
@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"n": (1,)}, "a parameter cannot be called 'n'"),
        ({"a b": (1,)}, "a parameter cannot be called 'a b'"),
        ({"causal": ()}, r"has values \(\); give a tuple of one or more"),
        ({"causal": (1, 1)}, "each once"),
        ({"causal": [0, 1]}, r"has values \[0, 1\]; give a tuple"),
        ({"causal": (False, True)}, "has a value False; values are whole or decimal numbers"),
        ({"causal": (float("nan"),)}, "has a value nan"),
        ({"causal": ("a/b",)}, "has a value 'a/b'"),
    ],
)
def test_a_parameter_that_could_not_stand_in_an_id_is_refused(params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=f"op 'other': .*{complaint}"):
        replace(double(), name="other", params=params)
    with pytest.raises(UsageError, match=f"variant 'double/plain': .*{complaint}"):
        registry.ops()["double"].variant(style="library", dtypes=("f32",), params=params)(plain)


@pytest.mark.usefixtures("nothing_else_declared")
def test_a_variant_cannot_give_its_ops_parameter_another_meaning() -> None:
    op = replace(double(), name="other", params={"causal": (0, 1)})
    with pytest.raises(UsageError, match="cannot be called 'causal'; a name is a word other than n, causal"):
        op.variant(style="library", dtypes=("f32",), params={"causal": (0,)})(plain)


def test_the_default_sizes_of_every_op_fit_it() -> None:
    for op in registry.ops().values():
        entries = tuple(size for entry in op.sizes for size in parse(f"{op.name}:{entry}"))
        found = shapes(entries, op.info)
        assert (len(found.fits), found.misfits) == (len(op.sizes) or 1, ()), op.name
