"""One pass over the ceilings: whole, well-formed, and honest about what was not measured. Never how fast."""

import os
import time

import msgspec
import pytest
from msgspec import UNSET

from kernelbench.ceilings import compute, latency, memory, probes
from kernelbench.ceilings.probes import CHECK_COMPUTE, CHECK_MIXES, probe
from kernelbench.ceilings.probing import runner
from kernelbench.model import Ceiling
from kernelbench.model.result import SMALL_DRAM
from kernelbench.native.host import llvm_host
from kernelbench.protocol import ProbeCeilings

CPUS = tuple(sorted(os.sched_getaffinity(0)))
LEVELS = (("L1", 16 << 10), ("L2", 64 << 10), ("DRAM", 128 << 10))
ISA = ("scalar", "sse2", "avx2", "avx512") if "sse2" in llvm_host()[1] else ("scalar", "neon")
USABLE = tuple(isa for isa in ISA if {"avx2": "avx2", "avx512": "avx512f"}.get(isa, "") in {"", *llvm_host()[1]})


def tiny_pass(scope: str = "quick", cpus: tuple[int, ...] = CPUS[:1]) -> tuple[Ceiling, ...]:
    before = os.sched_getaffinity(0)
    request = ProbeCeilings("machine-id", LEVELS, time.monotonic(), scope, USABLE, probe_s=2e-5, patience_s=0.0)
    try:
        return probe(request, cpus)
    finally:
        os.sched_setaffinity(0, before)


@pytest.fixture(scope="module")
def ceilings() -> tuple[Ceiling, ...]:
    return tiny_pass()


def test_every_ceiling_has_an_id_of_its_own(ceilings: tuple[Ceiling, ...]) -> None:
    assert len({ceiling.id for ceiling in ceilings}) == len(ceilings)


def test_every_arithmetic_is_measured_or_says_why_not(ceilings: tuple[Ceiling, ...]) -> None:
    found = {(c.isa, c.dtype, c.mix): c for c in ceilings if c.kind == "compute"}
    assert set(found) == {(k.isa, k.dtype, k.mix) for k in compute.kinds(USABLE, llvm_host()[1])}
    assert all((c.value is UNSET) != (c.skipped is UNSET) for c in found.values())


def test_every_mix_is_measured_at_every_size_of_the_ladder(ceilings: tuple[Ceiling, ...]) -> None:
    found = [c for c in ceilings if c.kind == "memory"]
    assert len(found) == len(memory.MIXES) * len(memory.ladder(LEVELS, 2))
    for mix in memory.MIXES:
        assert {c.level for c in found if c.mix == mix} - {UNSET} == {"L1", "L2", "DRAM"}


def test_a_full_pass_has_twice_the_points_of_a_quick_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MIXES", ("read",))
    monkeypatch.setattr(compute, "kinds", lambda levels, features: ())
    points = [c for c in tiny_pass("full") if c.kind == "memory"]
    assert len(points) == len(memory.ladder(LEVELS, 4))


def test_latency_is_measured_on_one_thread_at_every_level(ceilings: tuple[Ceiling, ...]) -> None:
    found = [c for c in ceilings if c.kind == "latency"]
    assert {c.level for c in found} - {UNSET} == {"L1", "L2", "DRAM"}
    assert [c.working_set_bytes for c in found] == [size for size, level in latency.points(LEVELS) if level]
    assert all(c.unit == "s" and isinstance(c.value, float) and 0 < c.value < 1e-3 for c in found)


def test_what_is_measured_has_a_positive_value_a_probe_and_a_provenance(ceilings: tuple[Ceiling, ...]) -> None:
    for ceiling in ceilings:
        if ceiling.skipped is UNSET:
            (made,) = ceiling.probes
            assert ceiling.value == made.value > 0
            assert made.at_s >= 0
            assert ceiling.provenance
            assert (made.clock_hz is UNSET) or made.clock_hz > 0


def test_units_and_machine_are_stated(ceilings: tuple[Ceiling, ...]) -> None:
    units = {"memory": {"B/s"}, "compute": {"FLOP/s", "OP/s"}, "latency": {"s"}}
    assert all(c.unit in units[c.kind] and c.machine == "machine-id" and c.threads == 1 for c in ceilings)


def test_the_id_of_a_bandwidth_gives_its_working_set(ceilings: tuple[Ceiling, ...]) -> None:
    for ceiling in ceilings:
        if ceiling.kind == "memory":
            assert ceiling.id == f"memory/{ceiling.mix}/{ceiling.working_set_bytes}/t=1"


def test_ceilings_survive_the_way_to_the_parent(ceilings: tuple[Ceiling, ...]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(ceilings), type=tuple[Ceiling, ...]) == ceilings


def test_a_check_probes_few_ceilings_and_each_of_them_is_one_of_the_whole(ceilings: tuple[Ceiling, ...]) -> None:
    found = tiny_pass("check")
    assert {c.id for c in found} <= {c.id for c in ceilings}
    assert {(c.dtype, c.mix) for c in found if c.kind == "compute"} <= set(CHECK_COMPUTE)
    assert {(c.mix, c.level) for c in found if c.kind == "memory"} == {
        (mix, level) for mix in CHECK_MIXES for level in ("L1", "L2", "DRAM")
    }


def test_a_check_takes_the_widest_level_of_each_arithmetic() -> None:
    found = [c for c in tiny_pass("check") if c.kind == "compute"]
    known = [k for k in compute.kinds(USABLE, llvm_host()[1]) if isinstance(k, compute.Kind)]
    for ceiling in found:
        same = [k.isa for k in known if (k.dtype, k.mix) == (ceiling.dtype, ceiling.mix)]
        assert ceiling.isa == max(same, key=USABLE.index)


@pytest.mark.parametrize(("dram_bytes", "small"), [(4 * (64 << 10), False), (2 * (64 << 10), True)])
def test_a_dram_point_below_four_times_the_last_level_says_so(dram_bytes: int, small: bool) -> None:
    levels = (*LEVELS[:2], ("DRAM", dram_bytes))
    request = ProbeCeilings("m", levels, 0.0, "check", USABLE, probe_s=2e-5, patience_s=0.0)
    found = [c for c in probe(request, CPUS[:1]) if c.kind == "memory"]
    assert {SMALL_DRAM in c.provenance for c in found if c.level == "DRAM"} == {small}
    assert not any(SMALL_DRAM in c.provenance for c in found if c.level != "DRAM")


def test_without_known_caches_there_is_a_ladder_and_dram() -> None:
    request = ProbeCeilings("m", LEVELS[2:], 0.0, "quick", (), probe_s=2e-5, patience_s=0.0)
    found = [c for c in probe(request, CPUS[:1]) if c.kind == "memory"]
    assert {c.level for c in found} == {UNSET, "DRAM"}
    assert not any(SMALL_DRAM in c.provenance for c in found)


def test_a_pass_for_compute_touches_no_memory() -> None:
    assert {c.kind for c in tiny_pass("compute")} == {"compute"}


def test_a_pass_for_memory_measures_the_quick_ladder_and_nothing_else(ceilings: tuple[Ceiling, ...]) -> None:
    assert [c.id for c in tiny_pass("memory")] == [c.id for c in ceilings if c.kind == "memory"]


def test_two_threads_are_two_threads() -> None:
    found = tiny_pass("check", (CPUS * 2)[:2])
    assert {c.threads for c in found} == {2}
    assert all(c.id.endswith("/t=2") for c in found)


def test_arithmetic_whose_code_cannot_be_trusted_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "compiled", lambda kind, chains: f"the emitted code has 0 of {chains} of it")
    found = [c for c in tiny_pass("compute") if c.value is UNSET]
    assert f"the emitted code has 0 of {compute.CHAINS[-1]} of it" in {c.skipped for c in found}
    assert not [c for c in found if c.probes]


def test_a_working_set_that_has_room_is_tried_at_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def spy(code: object, name: str, blocks: list[object], cpus: object) -> object:
        tried.append(blocks)
        return runner(code, name, blocks, cpus)  # type: ignore[arg-type]

    monkeypatch.setattr(probes, "runner", spy)
    monkeypatch.setattr(memory, "MIXES", ("read",))
    monkeypatch.setattr(compute, "kinds", lambda levels, features: ())
    tiny_pass("quick")
    starts = {block[0] for blocks in tried for block in blocks if len(block) == 32}  # type: ignore[index, arg-type]
    assert len(starts) >= probes.PLACES["quick"]
