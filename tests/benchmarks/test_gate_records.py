"""Trials on the disk: continued after an interruption, refused when they are something else."""

from pathlib import Path

import pytest
from gates import records
from gates.records import Seen, Trial
from hypothesis import given
from hypothesis import strategies as st

AA = Trial("kernelbench ab", "beyond 5%", 0, 12.0, (Seen("relu/naive/f32/n=64/t=1", "unchanged", log_ratios=(0.01,)),))


def test_trials_come_back_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "made" / "trials.jsonl"
    records.append(file, [AA])
    records.append(file, [AA, AA])
    assert records.read(file) == [AA, AA, AA]


def test_a_file_that_is_not_there_holds_no_trials(tmp_path: Path) -> None:
    assert records.read(tmp_path / "none.jsonl") == []


def test_a_line_cut_off_by_a_kill_is_dropped_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    records.append(file, [AA])
    with file.open("ab") as end:
        end.write(b'{"tool":"kernelb')
    assert records.read(file) == [AA]
    records.append(file, [AA])
    assert records.read(file) == [AA, AA]


def test_a_line_that_is_no_trial_is_named(tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    file.write_text('{"benchmarks": []}\n{"tool": 3}\n')
    with pytest.raises(ValueError, match=r"trials\.jsonl, line 1"):
        records.read(file)


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused_with_its_name(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("any") / "trials.jsonl"
    file.write_bytes(content)
    said = ""
    try:
        records.read(file)
    except ValueError as error:
        said = str(error)
    assert not said or "trials.jsonl, line" in said


def test_repetitions_without_verdicts_are_numbered_but_not_done() -> None:
    broken = Trial("kernelbench ab", "beyond 5%", 1, 3.0, problem="exit 70")
    assert records.done([AA, broken], AA) == 1
    assert records.next_number([AA, broken], AA) == 2


def test_another_slowdown_is_another_experiment() -> None:
    slowed = Trial("kernelbench ab", "beyond 5%", 0, 3.0, slowed=0.1)
    assert records.done([AA], slowed) == 0


def test_a_gate_with_many_rules_is_counted_by_repetition() -> None:
    peer = Trial("pyperf", "", 0, 0.0)
    both = [Trial("pyperf", rule, number, 1.0) for rule in ("significant", "significant, 5%") for number in (0, 1)]
    assert (records.done(both, peer), records.next_number(both, peer)) == (2, 2)
