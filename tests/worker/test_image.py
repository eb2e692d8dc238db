"""What a case's memory holds: compared between two sides, and written anew between their turns."""

import os
import sys

import numpy as np
import pytest

from kernelbench.kernels._scratch import HUGE_BYTES, Scratch
from kernelbench.timing.arena import Arena
from kernelbench.worker.image import Image, scratch_from

CPU = (min(os.sched_getaffinity(0)),)


class Bench:
    """Two inputs and an output, placed in an arena."""

    def __init__(self, arena: Arena, first: float = 1.0, size: int = 100) -> None:
        self._pristine = [np.full(size, first, np.float32), np.full(size, 2.0, np.float32)]
        self.inputs = [arena.copy(x) for x in self._pristine]
        self.output = arena.empty((size,), np.dtype(np.float32))
        self.output.fill(0)

    @property
    def operands(self) -> list[np.ndarray]:
        return [*self.inputs, self.output]

    def restore_inputs(self) -> None:
        for placed, pristine in zip(self.inputs, self._pristine, strict=True):
            placed[...] = pristine


def arena() -> Arena:
    return Arena(4 * HUGE_BYTES, CPU)


def image(bench: Bench, scratch: list[np.ndarray], base: int) -> Image:
    return Image(bench, scratch, base)  # type: ignore[arg-type]


def layout(first: float = 1.0, size: int = 100) -> str:
    memory = arena()
    return image(Bench(memory, first, size), [], memory.address).layout


def test_the_same_problem_at_the_same_places_has_the_same_layout_wherever_the_memory_lies() -> None:
    assert layout() == layout()


def test_other_inputs_are_another_layout() -> None:
    assert layout(first=1.5) != layout()


def test_other_sizes_are_another_layout() -> None:
    assert layout(size=101) != layout()


def test_other_contents_of_scratch_memory_are_another_layout() -> None:
    found = []
    for value in (0, 1):
        memory = arena()
        block = memory.block(64)
        block[5] = value
        found.append(image(Bench(memory), [block], memory.address).layout)
    assert found[0] != found[1]


def test_what_the_outputs_hold_is_no_part_of_the_layout() -> None:
    memory = arena()
    bench = Bench(memory)
    before = image(bench, [], memory.address).layout
    bench.output.fill(7)
    assert image(bench, [], memory.address).layout == before


def test_restoring_writes_inputs_and_scratch_anew() -> None:
    memory = arena()
    block = memory.block(64)
    block[:] = 3
    bench = Bench(memory)
    made = image(bench, [block], memory.address)
    block[:] = 0
    bench.inputs[0].fill(9)
    made.restore()
    assert (block == 3).all()
    assert (bench.inputs[0] == 1.0).all()


def test_kernels_get_their_scratch_memory_from_the_arena() -> None:
    memory = arena()
    with scratch_from(memory.block) as given:
        made = Scratch.of(1000)
    assert memory.address <= int(made) < memory.address + memory.size_bytes
    assert int(made) % HUGE_BYTES == memory.address % HUGE_BYTES
    assert [block.nbytes for block in given] == [1000]


def test_after_the_case_scratch_memory_is_the_kernels_own_again() -> None:
    memory = arena()
    with pytest.raises(ZeroDivisionError), scratch_from(memory.block):
        raise ZeroDivisionError
    assert not memory.address <= int(Scratch.of(1000)) < memory.address + memory.size_bytes


@pytest.mark.parametrize("lacks", ["the hook", "the module"])
def test_kernels_of_a_tree_older_than_the_hook_keep_their_own_scratch_memory(
    lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kernelbench.kernels import _scratch

    if lacks == "the hook":
        monkeypatch.delattr(_scratch, "scratch_from")
    else:
        monkeypatch.setitem(sys.modules, "kernelbench.kernels._scratch", None)
    with scratch_from(arena().block) as given:
        Scratch.of(1000)
    assert given == []


def test_a_block_too_large_for_the_arena_is_no_memory() -> None:
    with pytest.raises(MemoryError):
        arena().block(5 * HUGE_BYTES)
