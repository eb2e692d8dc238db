"""A machine card on the terminal, and the numbers in its tables."""

import re

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.model import Ceiling, Machine, Probe, Unknown
from kernelbench.report import card_terminal
from kernelbench.report.card import (
    amx,
    clock_hz,
    compute_table,
    footprints,
    latency_table,
    memory_table,
    missing,
    scaling_tables,
)
from kernelbench.report.card_details import how, ladder_details
from kernelbench.report.card_knees import boundaries, knees_at
from tests.builders import KIB, MACHINE_ID, MIB, machine
from tests.report.card_data import bandwidths, card, compute, computes, latencies, skipped
from tests.report.golden_file import assert_golden


def text(width: int = 80, **changes: object) -> str:
    return card_terminal.render(card(**changes), width=width, colour=False)


def without_clock(ceiling: Ceiling) -> Ceiling:
    return replace(ceiling, probes=tuple(replace(probe, clock_hz=UNSET) for probe in ceiling.probes))


def blind() -> Machine:
    """The standard machine when the OS tells nothing about its caches."""
    return replace(machine(), caches=Unknown("no cache folders"))


def test_the_card_at_80_columns_is_the_golden_one() -> None:
    assert_golden("card-80.txt", text())


@pytest.mark.parametrize("width", [20, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal_or_80_columns(width: int) -> None:
    assert max(map(len, text(width).split("\n"))) <= max(width, 80)


def test_at_many_threads_no_line_is_wider_than_80_columns() -> None:
    counts = (1, 2, 4, 8, 16, 32, 64, 128)
    made = tuple(compute("f32", "avx512", "fma_add", n, n * 177e9) for n in counts)
    lines = text(ceilings=made).split("\n")
    assert max(map(len, lines)) <= 80
    assert all(any(f"t={n}" in line for line in lines) for n in counts)


def test_colour_appears_only_when_asked_for() -> None:
    assert "\x1b" not in text()
    assert "\x1b[1m" in card_terminal.render(card(), width=80, colour=True)


def test_a_rate_per_cycle_takes_the_clock_of_the_best_probe_and_counts_one_core() -> None:
    # 64e9 / 2 GHz / 2 threads = 16; the slow probe's 1 GHz would give 31.
    one = replace(compute("f32", "avx2", "fma", 2, 1.0), value=64e9, probes=(Probe(0, 62e9, 1e9), Probe(1, 64e9, 2e9)))
    assert compute_table([one], 2).rows == (("f32 fma", "64.0 (16.0)"),)


def test_without_a_clock_there_is_a_rate_and_no_rate_per_cycle() -> None:
    one = without_clock(compute("f32", "avx2", "fma", 1, 118e9))
    assert compute_table([one], 1).rows == (("f32 fma", "118"),)
    assert clock_hz([one]) is UNSET
    assert "Clock unknown" in text(ceilings=(one,))


def test_the_clock_is_the_median_of_the_compute_probes() -> None:
    one = replace(compute("f32", "avx2", "fma", 1, 1e9), probes=tuple(Probe(0, 1e9, hz) for hz in (1e9, 3e9, 2e9)))
    assert clock_hz([one, *latencies()]) == 2e9


def test_instruction_sets_stand_in_rising_order_and_number_types_from_wide_to_narrow() -> None:
    table = compute_table(list(reversed(list(computes()))), 1)
    assert table.headers == ("", "scalar", "sse2", "sse4.2", "avx2", "avx512")
    assert [row[0] for row in table.rows] == ["f64 fma", "f32 fma", "f32 fma_add", "bf16 dot", "i8 dot"]


def test_scaling_is_that_of_one_instruction_set_the_fastest_at_the_most_threads() -> None:
    rates = {("avx2", 1): 100e9, ("avx512", 1): 90e9, ("avx2", 2): 150e9, ("avx512", 2): 180e9}
    made = [replace(compute("f32", isa, "fma", t, 1.0), value=rate) for (isa, t), rate in rates.items()]
    (table,) = scaling_tables(made)
    assert table.rows == (("f32 fma avx512", "90.0", "180 (2.00x)"),)


def test_one_thread_count_has_no_table_of_scaling() -> None:
    assert scaling_tables([compute("f32", "avx2", "fma", 2, 1e9)]) == ()


def test_bandwidth_stands_by_level_and_mix_with_its_spread() -> None:
    table = memory_table(list(bandwidths()), 1)
    assert table.headers == ("", "read", "write", "copy", "triad", "update", "copy_nt", "triad_nt")
    assert [row[0] for row in table.rows] == ["L1", "L2", "L3", "DRAM"]
    assert table.rows[0][1] == "198 2%"


def test_a_single_pass_of_probes_shows_no_spread() -> None:
    table = memory_table([replace(c, spread=UNSET) for c in bandwidths()], 1)
    assert table.rows[0][1] == "198"
    assert "spread" not in table.title


def test_points_that_stand_for_levels_are_named_with_their_working_sets() -> None:
    assert footprints(list(bandwidths()), 2) == "L1 16 KiB, L2 512 KiB, L3 4 MiB, DRAM 64 MiB"


def test_latency_is_in_seconds_and_in_cycles_of_its_shortest_probe() -> None:
    one = Ceiling("latency/16384/t=1", "latency", MACHINE_ID, 1, "s", value=1e-9, level="L1", working_set_bytes=16384,
                  probes=(Probe(0, 1e-9, 4e9), Probe(1, 2e-9, 3e9)), spread=0.5)  # fmt: skip
    assert latency_table([one]).rows == (("L1", "16 KiB", "1.00 ns", "4.00", "50%"),)


def test_reasons_for_missing_ceilings_are_given_once_for_all_thread_counts() -> None:
    made = [skipped("bf16", "avx2", t, "no such instruction") for t in (1, 2)] + [skipped("i8", "sse2", 1, "other")]
    assert [(one.what, one.reason) for one in missing(made)] == [
        ("bf16 dot avx2", "no such instruction"),
        ("i8 dot sse2", "other"),
    ]


def test_tiles_are_told_apart_from_what_the_cpu_lacks() -> None:
    made = [skipped(dtype, "amx", 1, "present, not measured") for dtype in ("i8", "bf16")]
    assert amx(made) == "AMX (i8, bf16): present, not measured"
    assert missing(made) == ()
    assert amx(list(bandwidths())) == ""


def test_a_skipped_bandwidth_says_why_under_its_id() -> None:
    one = Ceiling("memory/read/1024/t=1", "memory", MACHINE_ID, 1, "B/s", skipped="too little free memory")
    assert "memory/read/1024/t=1: too little free memory" in text(ceilings=(one,))


def test_what_read_for_ownership_would_add_is_said() -> None:
    assert "write +100%, copy +50%, triad +33%" in " ".join(text().split())


def test_knees_stand_beside_the_sizes_from_the_os() -> None:
    found = knees_at(list(bandwidths()), machine(), 2)
    assert [row[:2] for row in found.table.rows] == [("L1", "32 KiB"), ("L2", "1 MiB"), ("L3", "8 MiB")]
    assert found.warnings == ()
    assert len(found.sizes_bytes) == 3


def test_a_knee_far_from_the_claimed_size_is_a_warning() -> None:
    caches = machine().caches
    assert not isinstance(caches, Unknown)
    lied = replace(machine(), caches=tuple(replace(c, size_bytes=4 * MIB) if c.level == 2 else c for c in caches))
    assert "warning: the OS claims L2 4 MiB" in text(machine=lied)


def test_without_sizes_from_the_os_the_knees_are_the_boundaries() -> None:
    made = list(bandwidths())
    assert boundaries(made, machine(), 1) == (("L1", 32.0 * KIB), ("L2", float(MIB)), ("L3", 16.0 * MIB))
    assert [name for name, _ in boundaries(made, blind(), 1)] == ["knee"] * 3
    shown = text(machine=blind())
    assert "no size" in shown
    assert "warning" not in shown


def test_a_card_of_nothing_but_its_machine_still_renders() -> None:
    shown = text(ceilings=())
    assert shown.startswith("Machine 0123456789ab")
    assert shown.count("\n\n") == 0


def test_a_ladder_of_one_point_has_a_table_and_no_curve() -> None:
    first = next(c for c in bandwidths() if c.level == "L1")
    shown = text(ceilings=(first,))
    assert "Bandwidth, 1 thread" in shown
    assert "Bandwidth over the working set" not in shown


def test_the_curve_does_not_depend_on_the_window_it_is_made_in(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for columns, lines in (("30", "5"), ("300", "80")):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv("LINES", lines)
        made.append(text())
    assert made[0] == made[1]


def test_escapes_in_a_card_reach_no_terminal() -> None:
    evil = "\x1b]0;owned\x07\u202e"
    made = card()
    named = replace(made.machine, id=evil, virtualisation=evil)
    ceilings = [replace(c, provenance=evil, **({} if c.level is UNSET else {"level": evil})) for c in made.ceilings]
    ceilings.append(replace(skipped("i8", evil, 1, evil), dtype=evil))
    ceilings.append(replace(compute("f32", evil, "fma", 1, 1e9), mix=evil))
    shown = text(machine=named, ceilings=tuple(ceilings), created=evil)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)


def test_mixes_whose_working_sets_differ_by_rounding_share_a_line_of_the_ladder() -> None:
    one, other = (c for c in bandwidths() if c.level == "L1" and c.threads == 1 and c.mix in ("read", "triad"))
    table = ladder_details([one, replace(other, working_set_bytes=15872)], 1)
    assert [[cell.text for cell in row] for row in table.rows] == [["16 KiB", "198", "158", "L1"]]


def test_neighbouring_points_of_the_ladder_are_lines_of_their_own() -> None:
    assert len(ladder_details(list(bandwidths()), 1).rows) == 57


def test_ways_of_measuring_are_told_once_with_what_was_measured_so() -> None:
    told = {one.what: one.provenance for one in how(list(bandwidths()), "memory")}
    assert told["copy, 1 thread; copy, 2 threads"].startswith("copy: 64-byte vectors")
