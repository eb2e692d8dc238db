"""Cases that would not fit or would take for ever are skipped with the arithmetic."""

import pytest

from kernelbench.config import Config, Matrix
from kernelbench.errors import WorkerError
from kernelbench.model import Work
from kernelbench.plan import Plan, admit, expand
from kernelbench.protocol import CaseInfo
from tests.plan.registry import LEVELS, OPS, VARIANTS

GIB = 1 << 30


def planned(*kernels: str) -> Plan:
    config = Config(matrix=(Matrix(kernels=kernels, dtypes=("f32",), threads=(1,)),))
    return expand(config, OPS, VARIANTS, usable_threads=1, isa_levels=LEVELS)


def admitted(plan: Plan, *infos: CaseInfo, memory_bytes: int = 11 * GIB, cap_s: float = 0.25) -> Plan:
    return admit(plan, infos, VARIANTS, memory_bytes=memory_bytes, python_cap_s=cap_s)


def test_what_fits_stays() -> None:
    plan = planned("matmul/naive")
    assert admitted(plan, CaseInfo(plan.cases[0].id, memory_bytes=11 * GIB)) == plan


def test_what_does_not_fit_is_skipped_with_the_sum() -> None:
    plan = planned("matmul/naive")
    work = Work("modelled", working_set_bytes=12.0 * GIB)
    after = admitted(plan, CaseInfo(plan.cases[0].id, work, memory_bytes=24 * GIB))
    assert after.cases == ()
    assert after.skipped == (
        (
            plan.cases[0],
            "does not fit in memory: needs 12 GiB operands + 12 GiB copies and reference for checking = 24 GiB, "
            "11 GiB may be used",
        ),
    )


def test_what_does_not_fit_without_a_model_is_skipped_with_the_total() -> None:
    plan = planned("matmul/naive")
    (skip,) = admitted(plan, CaseInfo(plan.cases[0].id, memory_bytes=24 * GIB)).skipped
    assert skip[1] == "does not fit in memory: needs 24 GiB, 11 GiB may be used"


def test_an_interpreted_case_beyond_the_cap_is_skipped_with_the_estimate() -> None:
    plan = planned("matmul/python")
    info = CaseInfo(plan.cases[0].id, Work("modelled", flop=2.7e8))
    (skip,) = admitted(plan, info).skipped
    assert skip[1] == (
        "interpreted: 2.7e8 operations at an assumed 2e7/s = 13.5 s a call; the cap is 0.25 s (python_cap_s)"
    )
    assert admitted(plan, info, cap_s=13.5) == plan


def test_without_flop_the_elements_moved_are_counted() -> None:
    plan = planned("matmul/python")
    info = CaseInfo(plan.cases[0].id, Work("modelled", read_bytes=4e8, write_bytes=4e8))
    (skip,) = admitted(plan, info).skipped
    assert skip[1].startswith("interpreted: 2e8 operations")


def test_the_cap_is_for_interpreted_variants_only() -> None:
    plan = planned("matmul/naive")
    assert admitted(plan, CaseInfo(plan.cases[0].id, Work("modelled", flop=1e15))) == plan


def test_a_worker_may_refuse_a_case_and_earlier_skips_stay() -> None:
    plan = planned("relu/*")
    infos = [CaseInfo(case.id, skip="n must be even") for case in plan.cases]
    after = admitted(plan, *infos)
    assert [reason for _, reason in after.skipped] == [*(reason for _, reason in plan.skipped), *["n must be even"] * 2]


def test_a_case_the_worker_did_not_describe_is_the_harness_at_fault() -> None:
    with pytest.raises(WorkerError, match="matmul/naive"):
        admitted(planned("matmul/naive"))
