"""What a reader must know before believing a card: a quota, the kind of core, too little memory."""

from collections.abc import Callable

from msgspec.structs import replace

from kernelbench.model import Machine
from kernelbench.model.result import SMALL_DRAM
from kernelbench.report.card import cautions
from kernelbench.report.card_terminal import render
from tests.builders import MIB, compute, machine, memory
from tests.machine import recorded
from tests.machine.conftest import machine as recorded_machine
from tests.report.card_data import card

__all__ = ["recorded_machine"]


def test_an_ordinary_machine_needs_no_caution() -> None:
    assert cautions(machine(), (compute(1e11),)) == ()


def test_a_quota_below_one_core_is_told() -> None:
    half = replace(machine(), limits=replace(machine().limits, cpu_quota=0.5))
    (text,) = cautions(half, ())
    assert text.startswith("The CPU quota is 0.5 of a core")


def test_a_quota_of_more_than_a_core_is_no_caution() -> None:
    assert cautions(replace(machine(), limits=replace(machine().limits, cpu_quota=1.5)), ()) == ()


def test_a_hybrid_machine_says_on_which_kind_of_core_the_threads_ran(
    recorded_machine: Callable[[str], Machine],
) -> None:
    found = cautions(recorded_machine(recorded.HYBRID), (compute(1e11),))
    assert found == ("At 1 thread the threads run on performance cores.",)


def test_dram_probed_on_too_little_memory_is_told_once_for_all_mixes() -> None:
    short = [
        replace(memory(2e10, 8 * MIB, mix, level="DRAM"), provenance=f"loops; 8 MiB a thread are {SMALL_DRAM}")
        for mix in ("read", "copy")
    ]
    assert cautions(machine(), short) == (f"DRAM at 1 thread: 8 MiB a thread are {SMALL_DRAM}.",)


def test_cautions_stand_at_the_head_of_the_card() -> None:
    half = replace(machine(), limits=replace(machine().limits, cpu_quota=0.5))
    assert "The CPU quota is 0.5" in render(card(machine=half), width=80, colour=False).split("\n\n")[0]
