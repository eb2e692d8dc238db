"""What only one side has is no mistake on the other; what neither has is one on both."""

import pytest

from kernelbench.config import Config, Matrix
from kernelbench.gate.narrow import narrowed, plans
from kernelbench.model import OpInfo, VariantInfo
from kernelbench.plan import Plan
from kernelbench.protocol import CatalogueReply
from tests import builders

MACHINE = builders.machine()


def has(*names: str, params: tuple[str, ...] = ()) -> CatalogueReply:
    """A side with these variants, their ops having one dimension."""
    ops = dict.fromkeys(name.partition("/")[0] for name in names)
    return CatalogueReply(
        tuple(OpInfo(op, op, ("n",)) for op in ops),
        tuple(
            VariantInfo(
                name, name.partition("/")[0], "naive", ("f32",), "", False, False, True, "m",
                params=dict.fromkeys(params, (1,)),
            )
            for name in names
        ),
    )  # fmt: skip


BASE, HEAD = has("old/a", "both/a"), has("both/a", "both/new", "new/a")


def config(*blocks: Matrix, **more: object) -> Config:
    return Config(matrix=blocks, **more)  # type: ignore[arg-type]


def planned(wanted: Config) -> tuple[object, object]:
    """Case ids of each side, or why there are none."""
    return tuple(  # type: ignore[return-value]
        [case.id for case in plan.cases] if isinstance(plan, Plan) else plan
        for plan in plans((wanted, wanted), (BASE, HEAD), MACHINE)
    )


def test_a_kernel_that_head_adds_leaves_base_with_the_others() -> None:
    block = Matrix(kernels=("both/a", "both/new", "new/*"), sizes=(8,), threads=(1,))
    base, head = planned(config(block))
    assert base == ["both/a/f32/n=8/t=1"]
    assert head == ["both/a/f32/n=8/t=1", "both/new/f32/n=8/t=1", "new/a/f32/n=8/t=1"]


def test_a_kernel_that_neither_side_has_is_refused_on_both() -> None:
    base, head = planned(config(Matrix(kernels=("both/a", "none/*"))))
    assert "no kernel matches 'none/*'" in str(base)
    assert "no kernel matches 'none/*'" in str(head)


def test_a_side_without_any_of_the_kernels_says_so_and_measures_nothing_else() -> None:
    base, head = planned(config(Matrix(sizes=(8,), threads=(1,)), kernels=("new/*",)))
    assert "no kernel matches 'new/*'" in str(base)
    assert head == ["new/a/f32/n=8/t=1"]


def test_a_side_without_any_kernel_of_the_matrices_says_so() -> None:
    base, _ = planned(config(Matrix(kernels=("new/*",), sizes=(8,), threads=(1,))))
    assert "no kernel matches 'new/*'" in str(base)


def test_sizes_of_an_op_that_a_side_lacks_are_left_out_there() -> None:
    block = Matrix(kernels=("both/a", "new/*"), sizes=("8,new:16",), threads=(1,))
    base, head = planned(config(block))
    assert base == ["both/a/f32/n=8/t=1"]
    assert head == ["both/a/f32/n=8/t=1", "new/a/f32/n=16/t=1"]


def test_sizes_of_an_op_that_neither_has_are_refused() -> None:
    base, _ = planned(config(Matrix(sizes=("none:8",))))
    assert "no op is named 'none'" in str(base)


def test_a_parameter_that_a_side_lacks_is_left_out_there() -> None:
    plain, richer = has("both/a"), has("both/a", params=("step",))
    wanted = config(Matrix(params={"step": (4,)}), params={"step": (8,)})
    found = narrowed(wanted, plain, richer)
    assert (found.params, found.matrix[0].params) == ({}, {})
    assert narrowed(wanted, richer, plain) == wanted


def test_a_case_glob_that_matches_on_one_side_is_no_mistake_on_the_other() -> None:
    block = Matrix(sizes=(8,), threads=(1,))
    base, head = planned(config(block, cases=("both/a/*", "new/*")))
    assert base == ["both/a/f32/n=8/t=1"]
    assert head == ["both/a/f32/n=8/t=1", "new/a/f32/n=8/t=1"]


def test_a_case_glob_that_matches_nothing_anywhere_is_refused() -> None:
    base, head = planned(config(Matrix(sizes=(8,)), cases=("both/a/*", "*/n=9/*")))
    assert "matches '*/n=9/*'" in str(base)
    assert "matches '*/n=9/*'" in str(head)


def test_a_side_on_which_no_case_is_wanted_says_which_glob_matches_nothing() -> None:
    base, head = planned(config(Matrix(sizes=(8,), threads=(1,)), cases=("new/*",)))
    assert "matches 'new/*'" in str(base)
    assert head == ["new/a/f32/n=8/t=1"]


@pytest.mark.parametrize("other", [BASE, HEAD])
def test_a_side_that_has_everything_is_asked_for_everything(other: CatalogueReply) -> None:
    wanted = config(Matrix(kernels=("both/a",), sizes=("8,both:16",)), cases=("both/*",))
    assert narrowed(wanted, BASE, other) == wanted
