"""One side's turns: what is restored, waited for, timed and told, with a core that is none."""

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import UNSET

from kernelbench.model import Accuracy, Work
from kernelbench.protocol import Burst, Open, Opened, Shut, WorkerSetup
from kernelbench.timing.sampling import Batch, Observation
from kernelbench.worker import cost, threads, turns
from kernelbench.worker.bench import CaseError
from kernelbench.worker.turns import WARM_SLICES, Turns
from tests.builders import case

CLOCK_HZ = 2e9


class Core:
    """Observer and runner in one: slices of 50 us, looks as told."""

    def __init__(self) -> None:
        self.sees_neighbours = True
        self.beside: tuple[float, ...] = ()
        """Adds a cycle around the slices of a batch; empty: 4."""
        self.call_s = 1e-6
        self.done: list[str] = []

    def clock_hz(self) -> float:
        return CLOCK_HZ

    def start(self) -> None:
        self.done.append("start")

    def stop(self) -> Observation:
        self.done.append("stop")
        return Observation(3, 0, CLOCK_HZ)

    def __call__(self, calls: int) -> float:
        return calls * self.call_s

    def slices(self, calls: int, count: int) -> Batch:
        self.done.append(f"{count} slices of {calls}")
        beside = self.beside or (4.0,) * (count + 1)
        return Batch((calls * self.call_s,) * count, tuple(adds * CLOCK_HZ for adds in beside))


class Bench:
    """A case that is right."""

    def __init__(self, core: Core) -> None:
        self.run, self._done = core, core.done
        self.compiled = True
        self.wrong_after = False
        self.written = 0
        self.entry = SimpleNamespace(extra=SimpleNamespace(value=0), placed=SimpleNamespace(why_private=""))

    def compile(self, *, can_do_extra: bool) -> object | None:
        return self.entry if self.compiled else None

    def write_arguments(self) -> None:
        self.written += 1

    def fill_outputs(self) -> None:
        self._done.append("fill")

    def call_once(self, stage: str) -> float:
        self._done.append(f"call in {stage}")
        return 1e-6

    def verify(self, stage: str) -> Accuracy:
        return Accuracy("error", 0.0, "exact", 0.0)

    def verify_again(self, stage: str) -> None:
        self._done.append(stage)
        if self.wrong_after and stage == "verify-after":
            raise CaseError(stage, "wrong result")

    def verify_inputs(self, stage: str) -> None:
        self._done.append("inputs")

    def guarded(self, action: Callable[[], Any], stage: str) -> Any:
        return action()


class Image:
    """Says when it is restored."""

    layout = "0:8 1234"

    def __init__(self, done: list[str]) -> None:
        self._done = done

    def restore(self) -> None:
        self._done.append("restore")


class Side:
    """A case on one side, ready to be opened."""

    def __init__(self, core: Core, slowdown: float = 0.0) -> None:
        self.core, self.bench = core, Bench(core)
        image, request = Image(self.core.done), Open(case(), 0, slowdown=slowdown)
        self.turns = Turns(self.bench, image, Variant(), request, WorkerSetup(1, (0,)), stage)  # type: ignore[arg-type]

    def open(self) -> Opened:
        opened = self.turns.open(Work("absent"), shared=True)
        self.core.done.clear()
        return opened


class Variant:
    """Compiled."""

    compiled = True

    class info:
        fastmath = False


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    yield


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Side]:
    """``make()``: a side whose threads stay where they are and whose warm-up is one look."""
    monkeypatch.setattr(threads, "place_new", lambda cpus: None)
    monkeypatch.setattr(threads, "wait_until_idle", lambda: None)
    monkeypatch.setattr(turns, "warm_up", lambda *_: None)

    def side(slowdown: float = 0.0) -> Side:
        core = Core()
        monkeypatch.setattr(cost, "Watch", lambda **_: core)
        return Side(core, slowdown)

    return side


def test_a_slice_has_calls_for_its_least_time(make: Callable[..., Side]) -> None:
    opened = make().open()
    assert opened.calls * opened.call_s >= 5e-5
    assert (opened.shared, opened.layout) == (True, "0:8 1234")


def test_operands_are_restored_before_a_turn_only_where_asked(make: Callable[..., Side]) -> None:
    side = make()
    side.open()
    side.turns.burst(Burst(50, 3, False))
    assert "restore" not in side.core.done
    side.turns.burst(Burst(50, 3, True))
    assert side.core.done.count("restore") == 1


def test_slices_that_warm_the_caches_come_before_the_timed_ones_and_do_not_count(make: Callable[..., Side]) -> None:
    side = make()
    side.open()
    seen = side.turns.burst(Burst(50, 7, True))
    assert side.core.done == ["restore", f"{WARM_SLICES} slices of 50", "start", "7 slices of 50", "stop"]
    assert len(seen.seconds) == 7


def test_long_calls_are_not_warmed_up_again(make: Callable[..., Side]) -> None:
    side = make()
    side.core.call_s = 0.1
    side.open()
    side.turns.burst(Burst(1, 1, False))
    assert side.core.done == ["start", "1 slices of 1", "stop"]


def test_a_slice_is_as_quiet_as_the_least_of_the_looks_around_it(make: Callable[..., Side]) -> None:
    side = make()
    side.open()
    side.core.beside = (4.0, 4.0, 4.0, 4.0, 1.0, 4.0, 4.0)
    seen = side.turns.burst(Burst(50, 6, False))
    assert seen.adds_per_cycle == pytest.approx((4.0, 4.0, 1.0, 1.0, 1.0, 1.0))


def test_where_neighbours_cannot_be_seen_no_looks_are_told(make: Callable[..., Side]) -> None:
    side = make()
    side.core.sees_neighbours = False
    side.open()
    seen = side.turns.burst(Burst(50, 3, False))
    assert seen.adds_per_cycle == ()


def test_preemptions_and_the_clock_are_told(make: Callable[..., Side]) -> None:
    side = make()
    side.open()
    seen = side.turns.burst(Burst(50, 3, False))
    assert (seen.involuntary_switches, seen.clock_hz) == (3, CLOCK_HZ)


def test_every_turn_and_the_end_begin_with_this_side_s_own_arguments(make: Callable[..., Side]) -> None:
    side = make()
    side.open()
    side.turns.burst(Burst(50, 3, False))
    side.turns.burst(Burst(50, 3, False))
    side.turns.shut(Shut())
    assert side.bench.written == 3


def test_extra_work_is_this_side_s_own_at_every_turn(
    make: Callable[..., Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply(entry: Any, *_: object) -> float:
        entry.extra.value = 17
        return 0.1

    monkeypatch.setattr(turns.slowdown, "apply", apply)
    slow, plain = make(slowdown=0.1), make()
    slow.bench.entry = plain.bench.entry  # the memory that both share
    slow.open()
    plain.open()
    for side, extra in ((plain, 0), (slow, 17), (plain, 0)):
        side.turns.burst(Burst(50, 3, False))
        assert side.bench.entry.extra.value == extra


def test_at_the_end_a_case_is_verified_on_what_the_turns_left(make: Callable[..., Side]) -> None:
    side = make()
    side.open()
    measured = side.turns.shut(Shut())
    assert side.core.done == ["fill", "call in verify-after", "verify-after", "inputs"]
    assert (measured.timer, measured.round) == ("compiled loop", UNSET)


def test_where_the_other_side_has_other_bytes_they_are_written_anew_before(make: Callable[..., Side]) -> None:
    side = make()
    side.open()
    side.turns.shut(Shut(restore=True))
    assert side.core.done == ["restore", "fill", "call in verify-after", "verify-after", "inputs"]


def test_a_result_that_is_wrong_at_the_end_fails_the_case(make: Callable[..., Side]) -> None:
    side = make()
    side.open()
    side.bench.wrong_after = True
    with pytest.raises(CaseError, match="wrong result"):
        side.turns.shut(Shut())


def test_extra_work_is_refused_for_what_is_called_from_python(make: Callable[..., Side]) -> None:
    side = make(slowdown=0.1)
    side.bench.compiled = False
    with pytest.raises(CaseError, match="compiled kernels only"):
        side.open()
