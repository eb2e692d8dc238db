"""One pass over all ceilings: whole, well-formed, and honest about what was not measured. Never how fast."""

import os
import time

import msgspec
import pytest
from msgspec import UNSET

from kernelbench.ceilings import clock, compute, memory, probes
from kernelbench.ceilings.probes import COMPUTE, probe
from kernelbench.model import Ceiling
from kernelbench.protocol import ProbeCeilings

CPUS = tuple(sorted(os.sched_getaffinity(0)))
LEVELS = (("L1", 16 << 10), ("L2", 64 << 10), ("DRAM", 128 << 10))


def tiny_pass(cpus: tuple[int, ...]) -> tuple[Ceiling, ...]:
    before = os.sched_getaffinity(0)
    request = ProbeCeilings("machine-id", LEVELS, started_at=time.monotonic(), probe_s=2e-5, repeats=1)
    try:
        return probe(request, cpus)
    finally:
        os.sched_setaffinity(0, before)


@pytest.fixture(scope="module")
def ceilings() -> tuple[Ceiling, ...]:
    return tiny_pass(CPUS[:1])


def test_every_ceiling_has_an_id_of_its_own(ceilings: tuple[Ceiling, ...]) -> None:
    assert len({ceiling.id for ceiling in ceilings}) == len(ceilings)


def test_every_arithmetic_is_measured_or_says_why_not(ceilings: tuple[Ceiling, ...]) -> None:
    found = {(c.dtype, c.mix): c for c in ceilings if c.kind == "compute"}
    assert set(found) == set(COMPUTE)
    assert all((c.value is UNSET) != (c.skipped is UNSET) for c in found.values())


def test_every_mix_is_measured_at_every_size_of_the_ladder(ceilings: tuple[Ceiling, ...]) -> None:
    found = [c for c in ceilings if c.kind == "memory"]
    assert len(found) == len(memory.MIXES) * len(memory.ladder(LEVELS))
    for mix in memory.MIXES:
        assert {c.level for c in found if c.mix == mix} - {UNSET} == {"L1", "L2", "DRAM"}


def test_what_is_measured_has_a_positive_value_a_probe_and_a_provenance(ceilings: tuple[Ceiling, ...]) -> None:
    for ceiling in ceilings:
        if ceiling.skipped is UNSET:
            (made,) = ceiling.probes
            assert ceiling.value == made.value > 0
            assert made.at_s >= 0
            assert ceiling.provenance
            assert (made.clock_hz is UNSET) or made.clock_hz > 0


def test_units_and_machine_are_stated(ceilings: tuple[Ceiling, ...]) -> None:
    units = {"memory": {"B/s"}, "compute": {"FLOP/s", "OP/s"}}
    assert all(c.unit in units[c.kind] and c.machine == "machine-id" and c.threads == 1 for c in ceilings)


def test_a_working_set_is_what_the_arrays_add_up_to(ceilings: tuple[Ceiling, ...]) -> None:
    for ceiling in ceilings:
        if ceiling.kind == "memory":
            assert isinstance(ceiling.mix, str)
            asked = int(ceiling.id.split("/")[2])
            assert ceiling.working_set_bytes == memory.array_bytes(ceiling.mix, asked) * memory.ARRAYS[ceiling.mix]


def test_ceilings_survive_the_way_to_the_parent(ceilings: tuple[Ceiling, ...]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(ceilings), type=tuple[Ceiling, ...]) == ceilings


def test_two_threads_are_two_threads() -> None:
    found = tiny_pass((CPUS * 2)[:2])
    assert {c.threads for c in found} == {2}
    assert all(c.id.endswith("/t=2") for c in found)


def test_arithmetic_whose_code_cannot_be_trusted_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "compiled", lambda kind, chains: f"the emitted code has 0 of {chains} of it")
    monkeypatch.setattr(memory, "MIXES", ())
    found = [c for c in tiny_pass(CPUS[:1]) if c.kind == "compute"]
    assert all(c.value is UNSET and not c.probes for c in found)
    assert f"the emitted code has 0 of {compute.CHAINS[-1]} of it" in {c.skipped for c in found}


def test_a_cpu_without_known_instructions_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "host_features", frozenset)
    monkeypatch.setattr(memory, "MIXES", ())
    found = tiny_pass(CPUS[:1])
    assert [c.skipped is UNSET for c in found] == [False] * len(COMPUTE)


@pytest.mark.skipif(not clock.available(), reason="no dependent-add chain is known for this architecture")
def test_the_clock_is_positive_and_below_any_real_processors() -> None:
    assert 0 < clock.clock_hz() < 20e9


def test_the_clock_is_not_asked_where_no_chain_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.platform, "machine", lambda: "riscv64")
    assert not clock.available()
