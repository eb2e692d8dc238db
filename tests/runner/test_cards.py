"""The machine card: what is measured for it, how a run takes it up, and how it grows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from kernelbench.errors import WorkerError
from kernelbench.model import Ceiling, Probe
from kernelbench.protocol import ProbeCeilings
from kernelbench.runner import cards
from kernelbench.runner.process import Died
from kernelbench.store.card import Card, load
from tests.builders import MACHINE_ID, machine
from tests.runner.fakes import Clock, FakeWorkers, Watcher

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    made = FakeWorkers(Clock())
    monkeypatch.setattr(cards, "process_factory", lambda *limits: made)
    return made


def peak(value: float, threads: int = 1, *, at_s: float = 1.0, provenance: str = "loops") -> Ceiling:
    probes = (Probe(at_s, value),)
    return Ceiling(
        f"compute/f32/t={threads}", "compute", MACHINE_ID, threads, "FLOP/s", value=value, probes=probes,
        provenance=provenance,
    )  # fmt: skip


def current() -> Card:
    found = load(MACHINE_ID, cards.source_hash(), NOW.isoformat())
    assert isinstance(found, Card)
    return found


@pytest.mark.parametrize(
    ("usable", "counts"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8)), (3, (1, 2, 3))]
)
def test_thread_counts_are_powers_of_two_and_the_maximum(usable: int, counts: tuple[int, ...]) -> None:
    assert cards.default_threads(usable) == counts


def test_each_thread_count_is_measured_in_several_processes(workers: FakeWorkers) -> None:
    cards.measure(machine(), (), quick=False, progress=Watcher())
    asked = [(setup.threads, m.scope) for setup, m, _ in workers.asked if isinstance(m, ProbeCeilings)]
    assert asked == [(1, "full")] * 2 + [(2, "full")] * 2
    assert len(workers.made) == 4
    assert not any(worker.open for worker in workers.made)


def test_a_quick_card_takes_one_process_for_each_thread_count(workers: FakeWorkers) -> None:
    card = cards.measure(machine(), (), quick=True, progress=Watcher())
    assert [m.scope for _, m, _ in workers.asked if isinstance(m, ProbeCeilings)] == ["quick"] * 2
    assert card.quick


def test_between_one_and_all_threads_only_arithmetic_is_measured(workers: FakeWorkers) -> None:
    four = replace(machine(), limits=replace(machine().limits, usable_threads=4, affinity="0-3"))
    siblings = ("0", "1", "2", "3")
    four = replace(four, topology=replace(four.topology, smt_siblings=siblings))
    cards.measure(four, (), quick=True, progress=Watcher())
    asked = [(setup.threads, m.scope) for setup, m, _ in workers.asked if isinstance(m, ProbeCeilings)]
    assert asked == [(1, "quick"), (2, "compute"), (4, "quick")]


def test_what_is_measured_is_kept_as_the_card_of_the_machine(workers: FakeWorkers) -> None:
    card = cards.measure(machine(), (1,), quick=True, progress=Watcher())
    assert load(MACHINE_ID, cards.source_hash(), card.created) == card


def test_a_worker_that_dies_is_an_error_that_says_where(workers: FakeWorkers) -> None:
    workers.answer = lambda message: (
        Died("ceilings", "killed by SIGILL") if isinstance(message, ProbeCeilings) else None
    )
    with pytest.raises(WorkerError, match=r"t=1 could not be measured .*SIGILL"):
        cards.measure(machine(), (1,), quick=True, progress=Watcher())
    assert not any(worker.open for worker in workers.made)


def test_a_run_sees_the_probes_of_a_card_in_its_past(workers: FakeWorkers) -> None:
    card = cards.measure(machine(), (1,), quick=True, progress=Watcher())
    later = datetime.fromisoformat(card.created) + timedelta(hours=2)
    known, named = cards.recent(machine(), later)
    assert [probe.at_s for one in known for probe in one.probes] == [
        probe.at_s - 7200 for one in card.ceilings for probe in one.probes
    ]
    assert "(2 h old)" in named
    assert all(card.created in one.provenance for one in known)


def test_without_a_card_the_reason_is_given() -> None:
    assert cards.recent(machine(), NOW) == ((), "no card")


def test_a_run_puts_what_it_had_to_measure_onto_the_card() -> None:
    cards.keep_fresh(machine(), (peak(1e11),), NOW.isoformat())
    assert [one.value for one in current().ceilings] == [1e11]


def test_other_thread_counts_stay_on_the_card_and_its_age_is_that_of_the_oldest() -> None:
    before = (NOW - timedelta(days=2)).isoformat(timespec="seconds")
    cards.keep_fresh(machine(), (peak(2e11, threads=2),), before)
    cards.keep_fresh(machine(), (peak(1e11),), NOW.isoformat(timespec="seconds"))
    assert {one.threads: one.value for one in current().ceilings} == {1: 1e11, 2: 2e11}
    assert current().created == before


def test_a_card_that_was_too_low_grows_to_the_best_of_both() -> None:
    known = peak(1e11, at_s=-60.0, provenance=f"loops{cards.FROM_CARD}2026-01-01")
    cards.keep_fresh(machine(), (known, peak(1.2e11)), NOW.isoformat())
    (one,) = current().ceilings
    assert one.value == 1.2e11
    assert len(one.probes) == 2
    assert one.provenance == "loops"


def test_a_run_that_measured_nothing_leaves_the_card_alone() -> None:
    cards.keep_fresh(machine(), (), NOW.isoformat())
    assert cards.recent(machine(), NOW) == ((), "no card")
