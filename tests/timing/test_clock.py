"""The clock probe and the look at the core: the additions they claim are in the code, in the chains they claim."""

import ctypes
import re
from itertools import pairwise

import pytest

from kernelbench.native.jit import compile_ir
from kernelbench.timing import clock

known = pytest.mark.skipif(not clock.available(), reason="no addition is known for this architecture")
ADD = r"^\s+add[q]?\s"


def additions(chains: int, steps: int) -> list[str]:
    """Registers that the loop of a probe adds to, in order."""
    assembly = compile_ir(clock.READ_CLOCK + clock.adds_ir("probe", chains, steps)).assembly
    inline = assembly[assembly.index("probe:") :]
    found = re.search(r"#APP(.*?)#NO_APP", inline, re.S) or re.search(r"//APP(.*?)//NO_APP", inline, re.S)
    assert found, "the additions are one block of inline assembly"
    lines = [line for line in found[1].splitlines() if re.match(ADD, line)]
    x86 = "addq" in lines[0]
    return [re.split(r"[\s,]+", line.strip())[-1 if x86 else 1] for line in lines]


@known
def test_the_clock_probe_is_one_chain_of_dependent_additions() -> None:
    registers = additions(1, clock.CHAIN_STEPS)
    assert len(registers) == clock.CHAIN_STEPS
    assert len(set(registers)) == 1


@known
def test_a_look_is_independent_chains_in_turn() -> None:
    registers = additions(clock.LOOK_CHAINS, clock.LOOK_STEPS)
    assert len(registers) == clock.LOOK_CHAINS * clock.LOOK_STEPS
    assert len(set(registers)) == clock.LOOK_CHAINS
    assert registers == registers[: clock.LOOK_CHAINS] * clock.LOOK_STEPS


def test_a_look_counts_all_its_additions() -> None:
    assert clock.LOOK_ADDS == clock.LOOK_CHAINS * clock.LOOK_STEPS * clock.LOOK_TRIPS


@known
def test_more_additions_take_more_time() -> None:
    code = compile_ir(clock.READ_CLOCK + clock.adds_ir("probe", 2, 8))
    probe = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(code.address("probe"))
    best = [min(probe(trips) for _ in range(5)) for trips in (10**2, 10**4, 10**6)]
    assert all(shorter < longer for shorter, longer in pairwise(best))


@known
def test_the_clock_is_positive_and_below_any_real_processors() -> None:
    assert 0 < clock.clock_hz() < 20e9


@known
def test_the_clock_is_additions_over_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_nanoseconds", lambda name, trips: {"chain": 2, "look": 4}[name] * 1000)
    assert clock.clock_hz(trips=100) == pytest.approx(clock.CHAIN_STEPS * 100 / 2e-6)
    assert clock.adds_per_s() == pytest.approx(clock.LOOK_ADDS / 4e-6)


def on_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.platform, "machine", lambda: "riscv64")


def test_where_no_addition_is_known_there_is_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    on_unknown(monkeypatch)
    assert not clock.available()
    for probe in (clock.clock_hz, clock.adds_per_s):
        with pytest.raises(KeyError, match="no addition is known for riscv64"):
            probe()


def test_where_no_addition_is_known_a_look_costs_nothing_and_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    on_unknown(monkeypatch)
    code = compile_ir(clock.READ_CLOCK + clock.adds_ir("look", clock.LOOK_CHAINS, clock.LOOK_STEPS))
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(code.address("look"))(10**9) == 0
