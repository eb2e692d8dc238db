"""Advice about the numbers themselves: a run that triggers each rule, and one that does not."""

from msgspec import UNSET

from kernelbench.analysis.advice_trust import again, dispatch, distrust
from kernelbench.model import Record
from tests.analysis.advising import SCATTERED, advice, says, stream, timed


def test_a_case_above_its_roof_without_a_reason_is_to_be_distrusted() -> None:
    found = advice(distrust, timed("matmul/tiled", 1e-3), timed("matmul/vectorized", 1e-2))
    assert found.case_ids == ("matmul/tiled/f32/n=512/t=1",)
    assert "of its roof (f32 AVX-512 FMA 1 thread), and nothing measured explains it" in found.text


def test_a_case_below_its_roof_is_not_distrusted() -> None:
    assert says(distrust, timed("matmul/tiled", 3e-3)) is UNSET


def test_cases_that_did_not_hold_still_are_to_be_measured_again() -> None:
    found = advice(again, timed("matmul/tiled", 3e-3, pattern=SCATTERED), timed("matmul/vectorized", 1e-2))
    assert "1 of 2 measured cases of matmul did not hold still, matmul/tiled/f32/n=512/t=1 most" in found.text
    assert found.gain is UNSET


def test_a_case_of_one_disturbed_round_has_no_range_to_show() -> None:
    found = advice(again, timed("matmul/tiled", 3e-3, pattern=(1.0,), flags=("disturbed",)))
    assert "matmul/tiled/f32/n=512/t=1 most: measure again" in found.text


def test_steady_cases_need_not_be_measured_again() -> None:
    assert says(again, timed("matmul/tiled", 3e-3)) is UNSET


def called(seconds: float, n: int) -> Record:
    return stream("relu/numpy", seconds, n, style="library", includes_python_call=True)


def test_a_time_that_does_not_grow_with_the_work_is_consistent_with_the_call() -> None:
    found = advice(dispatch, called(5.0e-7, 256), called(5.5e-7, 2048), stream("relu/vectorized", 2e-8, 256))
    assert "550 ns for 8.00x the work, both with a call from Python: consistent with" in found.text
    assert "call relu/vectorized from compiled code (20.0 ns, 25.0x)" in found.text


def test_without_a_compiled_variant_the_call_is_told_to_get_more_work() -> None:
    found = advice(dispatch, called(5.0e-7, 256), called(5.5e-7, 2048))
    assert found.gain is UNSET
    assert found.text.endswith("give it more work a call.")


def test_a_time_that_grows_with_the_work_is_not_the_call() -> None:
    assert says(dispatch, called(5.0e-7, 256), called(3e-6, 2048)) is UNSET


def test_a_constant_time_without_a_call_from_python_is_not_the_call() -> None:
    assert says(dispatch, stream("relu/mine", 5e-7, 256), stream("relu/mine", 5.5e-7, 2048)) is UNSET
