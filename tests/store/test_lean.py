"""Results read without what only single samples show."""

from pathlib import Path

from kernelbench.analysis.compare import compare
from kernelbench.analysis.timing import timing
from kernelbench.model import Interference, Measured, Round
from kernelbench.store.files import read_result, write_result
from kernelbench.store.lean import LeanResult
from tests.builders import record, result, sample


def disturbed(index: int) -> Round:
    marks = Interference((1, 0, 0, 0), (2,) * 4, (3e9,) * 4, (3.9,) * 4, (True, False, False, False), 0.75)
    return Round(index, 0.0, (2e-3, 1e-3, 1.1e-3, 1.2e-3), 10, index, 3e9, marks)


def test_a_lean_result_compares_as_the_whole_one_does(tmp_path: Path) -> None:
    write_result(tmp_path / "r.json", sample())
    lean, whole = read_result(tmp_path / "r.json", LeanResult), read_result(tmp_path / "r.json")
    assert compare(lean, lean) == compare(whole, whole)


def test_which_samples_count_is_kept_and_what_is_beside_them_left_out(tmp_path: Path) -> None:
    made = result([record(outcome=Measured("compiled loop", False, tuple(map(disturbed, range(6)))))])
    write_result(tmp_path / "r.json", made)
    (lean,) = read_result(tmp_path / "r.json", LeanResult).records
    assert timing(lean) == timing(made.records[0])
    assert isinstance(lean.outcome, Measured)
    kept = lean.outcome.rounds[0].interference
    assert (kept.disturbed, kept.quiet_share) == ((True, False, False, False), 0.75)
    assert (kept.involuntary_switches, kept.page_faults, kept.clock_hz, kept.adds_per_cycle) == ((), (), (), ())
