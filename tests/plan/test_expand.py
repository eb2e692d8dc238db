"""What a configuration asks for, on a given machine and registry."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from kernelbench.config import Config, Flags, Matrix, override
from kernelbench.errors import UsageError
from kernelbench.model import Dtypes, VariantInfo
from kernelbench.plan import Plan, expand
from tests.plan.registry import LEVELS, OPS, VARIANTS, variant


def plan(
    config: Config | None = None, *, variants: tuple[VariantInfo, ...] = VARIANTS, usable: int = 2, **block: Any
) -> Plan:
    config = config or Config(matrix=(Matrix(**block),))
    return expand(config, OPS, variants, usable_threads=usable, isa_levels=LEVELS)


def ids(planned: Plan) -> list[str]:
    return [case.id for case in planned.cases]


def skips(planned: Plan) -> dict[str, str]:
    return {case.id: reason for case, reason in planned.skipped}


def refusal(**arguments: Any) -> str:
    with pytest.raises(UsageError) as caught:
        plan(**arguments)
    return str(caught.value)


def test_cases_come_in_the_order_op_shape_style_dtype_threads() -> None:
    planned = plan(kernels=("relu/[np]*", "matmul/*"), dtypes=("f64", "f32"), sizes=(512, 64))
    assert ids(planned)[:9] == [
        "matmul/python/f32/n=64/t=1",
        "matmul/naive/f64/n=64/t=1",
        "matmul/naive/f32/n=64/t=1",
        "matmul/parallel/f64/n=64/t=1",
        "matmul/parallel/f64/n=64/t=2",
        "matmul/parallel/f32/n=64/t=1",
        "matmul/parallel/f32/n=64/t=2",
        "matmul/numpy/f64/n=64/t=1",
        "matmul/numpy/f64/n=64/t=2",
    ]
    assert ids(planned)[11:13] == ["matmul/python/f32/n=512/t=1", "matmul/naive/f64/n=512/t=1"]
    assert ids(planned)[22] == "relu/naive/f64/n=64/t=1"


def test_a_case_carries_its_shape_by_name() -> None:
    (case,) = plan(kernels=("matmul/naive",), dtypes=("f32",), sizes=("1x2x3",)).cases
    assert case.shape == {"m": 1, "n": 2, "k": 3}
    assert case.id == "matmul/naive/f32/m=1,n=2,k=3/t=1"


def test_all_threads_are_the_usable_ones() -> None:
    planned = plan(kernels=("matmul/parallel",), dtypes=("f32",), threads=("all", 1))
    assert [case.threads for case in planned.cases] == [1, 2]


def test_on_one_cpu_all_and_one_are_the_same_case() -> None:
    config = Config(matrix=(Matrix(kernels=("matmul/parallel",), dtypes=("f32",)),))
    assert ids(plan(config, usable=1)) == ["matmul/parallel/f32/n=256/t=1"]


def test_serial_variants_have_no_case_at_other_thread_counts() -> None:
    planned = plan(kernels=("matmul/naive",), dtypes=("f32",), threads=(1, 2))
    assert ids(planned) == ["matmul/naive/f32/n=256/t=1"]
    assert planned.skipped == ()


def test_serial_variants_asked_for_on_two_threads_only_are_skipped_once() -> None:
    planned = plan(kernels=("matmul/naive", "matmul/parallel"), sizes=(64, 128), threads=(2,))
    assert all("parallel" in id for id in ids(planned))
    assert list(skips(planned).values()) == [
        "runs on one thread only, and only threads 2 was asked for; add 1 to the threads"
    ]


def test_more_threads_than_usable_are_refused_with_both_numbers() -> None:
    message = refusal(threads=(1, 8))
    assert "threads 8" in message
    assert "may use 2" in message


def test_a_dtype_that_a_variant_lacks_is_not_a_case() -> None:
    planned = plan(kernels=("matmul/naive", "matmul/int8"), dtypes=("i8",))
    assert ids(planned) == ["matmul/int8/i8/n=256/t=1"]
    assert planned.skipped == ()


def test_a_dtype_that_nothing_has_is_refused_with_those_there_are() -> None:
    message = refusal(kernels=("matmul/*",), dtypes=("bf16",))
    assert "bf16" in message
    assert "f64, f32, i8" in message


@pytest.mark.parametrize(
    ("glob", "hint"),
    [("matmull/*", "matmul/*"), ("matmul/navie", "matmul/naive"), ("matmul", "matmul/*"), ("zzz", "accepted")],
)
def test_an_unknown_kernel_glob_is_refused_with_near_names(glob: str, hint: str) -> None:
    message = refusal(kernels=("relu/*", glob))
    assert repr(glob) in message
    assert hint in message


def test_an_unusable_isa_is_skipped_with_its_reason() -> None:
    planned = plan(kernels=("matmul/naive",), dtypes=("f32",), isa=("native", "avx2", "avx512"))
    assert ids(planned) == ["matmul/naive/f32/n=256/t=1", "matmul/naive/f32/n=256/t=1/isa=avx2"]
    assert skips(planned) == {
        "matmul/naive/f32/n=256/t=1/isa=avx512": "avx512 is not usable here: the CPU lacks avx512f"
    }


def test_a_level_of_another_architecture_is_skipped_so_that_one_file_serves_both() -> None:
    (reason,) = skips(plan(kernels=("matmul/naive",), dtypes=("f32",), isa=("neon",))).values()
    assert "another architecture" in reason
    assert "sse2, avx2, avx512" in reason


def test_an_unknown_isa_is_refused_with_near_names() -> None:
    assert "did you mean avx2" in refusal(kernels=("matmul/naive",), isa=("avx22",))


def test_code_that_is_not_compiled_here_exists_at_its_native_level_only() -> None:
    planned = plan(kernels=("matmul/numpy",), dtypes=("f32",), threads=(1,), isa=("native", "avx2"))
    assert ids(planned) == ["matmul/numpy/f32/n=256/t=1"]
    assert planned.skipped == ()
    (reason,) = skips(plan(kernels=("matmul/numpy",), dtypes=("f32",), threads=(1,), isa=("avx2",))).values()
    assert "only isa avx2 was asked for" in reason


def test_cache_states_are_separate_cases() -> None:
    planned = plan(kernels=("relu/naive",), dtypes=("f32",), cache=("warm", "cold"))
    assert ids(planned) == ["relu/naive/f32/n=256/t=1", "relu/naive/f32/n=256/t=1/cold"]


def test_an_unavailable_variant_is_skipped_with_its_reason() -> None:
    planned = plan(kernels=("relu/odd",), dtypes=("f32",))
    assert planned.cases == ()
    assert skips(planned) == {"relu/odd/f32/n=256/t=1": "no library of that name is installed"}


def test_a_size_that_an_op_cannot_use_is_skipped_once_for_a_variant_with_the_reason() -> None:
    planned = plan(kernels=("relu/naive", "matmul/naive"), sizes=("1x2x3",))
    assert {case.op for case in planned.cases} == {"matmul"}
    assert skips(planned) == {"relu/naive/f64/1x2x3/t=1": "relu has 1 dimension (n), the size 1x2x3 has 3"}


def test_a_size_for_an_op_that_does_not_exist_is_refused() -> None:
    assert "did you mean matmul" in refusal(sizes=("matmull:64",))


def test_cases_in_two_blocks_are_one_case_and_measurable_wins_over_skipped() -> None:
    config = Config(
        matrix=tuple(Matrix(kernels=("relu/naive",), dtypes=("f32",), threads=t) for t in [(2,), (1,), (1, 2)])
    )
    planned = plan(config)
    assert ids(planned) == ["relu/naive/f32/n=256/t=1"]
    assert planned.skipped == ()


def test_case_globs_narrow_the_plan() -> None:
    config = Config(cases=("relu/*/f32/*", "matmul/int8/*"))
    assert ids(plan(config)) == [
        "matmul/int8/i8/n=256/t=1",
        "relu/naive/f32/n=256/t=1",
        "relu/parallel/f32/n=256/t=1",
        "relu/parallel/f32/n=256/t=2",
    ]


def test_a_case_glob_without_a_case_is_refused_with_near_ids() -> None:
    assert "matmul/naive/f32/n=256/t=1" in refusal(config=Config(cases=("matmul/naive/f32/n=255/t=1",)))


BLOCKS = Config(
    matrix=(
        Matrix(kernels=("matmul/naive",), sizes=(64,), dtypes=("f32",)),
        Matrix(kernels=("relu/*",), sizes=(4096,), dtypes=("f32",)),
    )
)


def test_the_kernel_flag_keeps_the_sizes_that_the_configuration_gives_a_kernel() -> None:
    assert ids(plan(override(BLOCKS, Flags(kernels=("relu/naive",))))) == ["relu/naive/f32/n=4096/t=1"]


def test_the_kernel_flag_adds_kernels_that_no_block_lists_measured_as_the_blocks_agree() -> None:
    planned = plan(override(BLOCKS, Flags(kernels=("matmul/parallel",))))
    assert ids(planned) == ["matmul/parallel/f32/n=256/t=1", "matmul/parallel/f32/n=256/t=2"]
    planned = plan(override(BLOCKS, Flags(kernels=("matmul/parallel",), sizes=("matmul:8",), threads=("1",))))
    assert ids(planned) == ["matmul/parallel/f32/n=8/t=1"]


def test_kernels_of_a_module_given_by_flag_are_added_to_the_blocks() -> None:
    mine = variant("relu/mine", "naive", module="/home/u/mine.py")
    config = Config(matrix=(Matrix(kernels=("matmul/naive",), dtypes=("f32",)),), extra_modules=("/home/u/mine.py",))
    planned = plan(config, variants=(*VARIANTS, mine))
    assert ids(planned) == ["matmul/naive/f32/n=256/t=1", "relu/mine/f32/n=256/t=1"]


def test_kernels_of_a_module_given_alone_are_all_that_is_measured(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    mine = variant("relu/mine", "naive", module=str(tmp_path / "mine.py"))
    flags = Flags(modules=(str(tmp_path / "mine.py"),), only_modules=True, threads=("1",))
    assert ids(plan(override(BLOCKS, flags), variants=(*VARIANTS, mine))) == ["relu/mine/f32/n=256/t=1"]


def test_the_kernel_flag_adds_to_a_module_given_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    mine = variant("relu/mine", "naive", module=str(tmp_path / "mine.py"))
    globs = ("relu/mine", "matmul/naive")
    flags = Flags(
        modules=(str(tmp_path / "mine.py"),), only_modules=True, threads=("1",), kernels=globs, dtypes=("f32",)
    )
    planned = plan(override(BLOCKS, flags), variants=(*VARIANTS, mine))
    assert ids(planned) == ["matmul/naive/f32/n=256/t=1", "relu/mine/f32/n=256/t=1"]


def test_an_empty_registry_is_refused() -> None:
    assert "no kernel matches '*'" in refusal(variants=())


def test_a_case_tells_the_number_types_within_its_calls() -> None:
    int4 = variant("relu/int4", "quantized", dtypes=("f32",), types=Dtypes("i4", "f32", "f32"))
    (narrow,) = plan(variants=(int4,), kernels=("relu/int4",), sizes=(64,)).cases
    (plain,) = plan(kernels=("relu/naive",), dtypes=("f32",), sizes=(64,)).cases
    assert narrow.dtypes == Dtypes("i4", "f32", "f32")
    assert plain.dtypes is UNSET
