"""What `run` does with winners: cases get their parameters and a name of their own, and the user is told."""

import pytest

from kernelbench.model import VariantInfo
from kernelbench.plan import Plan
from kernelbench.runner.tuned import apply
from kernelbench.store import tuned
from tests.builders import MACHINE_ID, case
from tests.tuning.found import CASE, tuning


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tuned.keep(tuning())


def variant(name: str = "matmul/tiled", tunable: dict | None = None) -> VariantInfo:
    """As a worker tells of it."""
    declared = tuning().tunable if tunable is None else tunable
    return VariantInfo(name, "matmul", "tiled", ("f32",), "", False, False, True, "here", tunable=declared)


def test_a_case_of_the_class_gets_the_parameters_and_a_name_of_its_own() -> None:
    applied = apply(Plan((CASE,), ()), [variant()], MACHINE_ID)
    (found,) = applied.plan.cases
    assert (found.id, found.tuned) == ("matmul/tiled/f32/n=600/t=1/tuned", True)
    assert found.tuning == {"kc": 128, "nc": 256}


def test_the_user_is_told_what_is_used_and_how_to_do_without() -> None:
    (note,) = apply(Plan((CASE,), ()), [variant()], MACHINE_ID).notes
    assert note.startswith("using tuned parameters for matmul/tiled: kc=128 nc=256 (matmul/tiled/f32/n=600/t=1)")
    assert note.endswith("--no-tuned ignores them")


def test_other_sizes_and_kernels_keep_their_defaults() -> None:
    plan = Plan((case("matmul/tiled", shape={"m": 64, "n": 64, "k": 64}), case("matmul/naive", shape=CASE.shape)), ())
    applied = apply(plan, [variant()], MACHINE_ID)
    assert (applied.plan, applied.notes) == (plan, ())


def test_a_kernel_that_declares_something_else_keeps_its_defaults_and_says_so() -> None:
    applied = apply(Plan((CASE,), ()), [variant(tunable={"kc": (1, 2)})], MACHINE_ID)
    assert applied.plan.cases == (CASE,)
    assert applied.notes == (
        "matmul/tiled has other tunable parameters than when it was tuned: `kernelbench tune matmul/tiled`",
    )


def test_a_damaged_file_is_told_and_costs_nothing_else() -> None:
    tuned.path_of(MACHINE_ID).write_text("{")
    applied = apply(Plan((CASE,), ()), [variant()], MACHINE_ID)
    assert applied.plan.cases == (CASE,)
    assert "tuned parameters are not used" in applied.notes[0]


def test_a_run_without_anything_tunable_reads_nothing() -> None:
    tuned.path_of(MACHINE_ID).write_text("{")
    assert apply(Plan((case("relu/naive"),), ()), [variant("relu/naive", {})], MACHINE_ID).notes == ()
