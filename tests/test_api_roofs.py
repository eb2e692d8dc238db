"""Where a measurement lies below the roofs of this machine's card."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from msgspec import UNSET

import kernelbench as kb
from kernelbench.analysis.roofline import NoRoof, Roof
from kernelbench.api import roofs
from kernelbench.model import METHOD_VERSION, SCHEMA_VERSION, Work
from kernelbench.runner import cards
from kernelbench.store import lock
from kernelbench.store.card import Card, load, save
from tests import builders
from tests.api_data import CARD, measurement


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> kb.MachineCard:
    monkeypatch.setattr(roofs, "machine_card", lambda threads=1: CARD)
    return CARD


@pytest.mark.usefixtures("card")
def test_a_share_of_the_roof_is_the_time_allowed_over_the_best() -> None:
    found = measurement(best_s=4e-9, work=Work("declared", read_bytes=396.0, working_set_bytes=16 * 1024))
    # 198 GB/s of L1 move 396 bytes in 2 ns.
    assert found.fraction_of_roof == pytest.approx(0.5)
    assert found.bound == "memory"
    assert isinstance(found.roof, Roof)
    assert found.roof.name == "L1 read 1 thread"


@pytest.mark.usefixtures("card")
def test_flop_without_a_mix_is_judged_by_the_multiply_adds_of_its_type() -> None:
    found = measurement(best_s=1e-6, work=Work("declared", flop=58500.0))
    assert found.fraction_of_roof == pytest.approx(0.5)
    assert found.bound == "compute"


@pytest.mark.usefixtures("card")
def test_integers_of_8_bits_are_judged_by_dot_products() -> None:
    assert measurement(best_s=1e-6, dtype="i8", work=Work("declared", flop=467000.0)).fraction_of_roof == pytest.approx(
        1
    )


@pytest.mark.usefixtures("card")
def test_flop_of_an_unknown_type_have_no_roof_and_say_what_to_give() -> None:
    found = measurement(dtype=UNSET, work=Work("declared", flop=1.0))
    assert found.fraction_of_roof is UNSET
    assert found.bound == ""
    assert 'dtype="f32"' in reason(found)


@pytest.mark.usefixtures("card")
def test_bytes_without_operands_have_no_roof_and_say_what_to_give() -> None:
    assert "pass the arrays in args" in reason(measurement(work=Work("declared", read_bytes=1.0)))


def test_without_flop_and_bytes_no_card_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofs, "machine_card", lambda threads=1: pytest.fail("asked"))
    assert reason(measurement()) == "neither flop nor bytes was given"


def test_a_function_of_several_threads_is_not_judged_by_the_roofs_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofs, "machine_card", lambda threads=1: CARD)
    found = measurement(busy_cpus=2.0, work=Work("declared", flop=1.0))
    assert reason(found).startswith("it kept 2.00 CPUs busy, and the roofs are those of threads=1")
    assert measurement(busy_cpus=2.0, threads=2, work=Work("declared", flop=1.0)).bound == "compute"


def reason(found: kb.Measurement) -> str:
    assert isinstance(found.roof, NoRoof)
    return found.roof.reason


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[int, ...]]:
    """This machine is the example one, without a card, and measuring it is counted: the thread counts asked for."""
    asked: list[tuple[int, ...]] = []

    def measure(machine: object, threads: tuple[int, ...], **more: object) -> Card:
        asked.append(threads)
        made = stored(threads)
        save(made)
        return made

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(lock, "HostLock", partial(lock.HostLock, tmp_path / "lock"))
    monkeypatch.setattr("kernelbench.machine.detect", builders.machine)
    monkeypatch.setattr(cards, "measure", measure)
    monkeypatch.setattr(roofs, "_KNOWN", {})
    return asked


def stored(threads: tuple[int, ...]) -> Card:
    own = tuple(one for one in builders.ceilings() if one.threads in threads)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Card(SCHEMA_VERSION, METHOD_VERSION, now, cards.source_hash(), True, builders.machine(), own)


def test_a_stored_card_is_used_in_silence(here: list[tuple[int, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    save(stored((1,)))
    assert kb.machine_card().source.startswith("the machine card of ")
    assert here == []
    assert capsys.readouterr().err == ""


def test_without_a_card_it_is_measured_once_and_said(
    here: list[tuple[int, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    kb.machine_card()
    kb.machine_card()
    assert here == [(1,)]
    said = capsys.readouterr().err
    assert said == "kernelbench: measuring this machine's ceilings at t=1 once, some 10 s (no card)\n"


def test_another_thread_count_is_measured_beside_what_the_card_has(here: list[tuple[int, ...]]) -> None:
    save(stored((1,)))
    kb.machine_card(2)
    kept = load(builders.MACHINE_ID, cards.source_hash(), datetime.now(UTC).isoformat())
    assert here == [(2,)]
    assert isinstance(kept, Card)
    assert {one.threads for one in kept.ceilings} == {1, 2}


def test_fresh_measures_in_any_case(here: list[tuple[int, ...]]) -> None:
    save(stored((1,)))
    kb.machine_card(fresh=True)
    assert here == [(1,)]


def test_a_card_reads_as_its_peaks_and_bandwidths() -> None:
    lines = str(CARD).splitlines()
    assert lines[0] == "the machine card of today (1 h old), machine 0123456789ab"
    assert "  f32 AVX-512 FMA 1 thread: 117 GFLOP/s" in lines
    assert "  L1 read 2 threads: 396 GB/s" in lines


@pytest.mark.parametrize("wrong", [0, 3])
def test_more_threads_than_usable_are_refused_before_anything_is_measured(
    here: list[tuple[int, ...]], wrong: int
) -> None:
    with pytest.raises(kb.UsageError, match=f"threads={wrong} cannot be: this process may use 1 to 2"):
        kb.machine_card(wrong)
    assert here == []
