"""Loops found in assembly, and which of them is taken for the one that does the work."""

from msgspec import UNSET

from kernelbench.native.assembly import bodies
from kernelbench.native.blocks import blocks, natural_loops
from kernelbench.native.loops import Loop, hot_loop, loops, most_run
from tests.native.loops_data import EPILOGUE, PRODUCT, STRAIGHT, TABLE


def found(assembly: str) -> Loop:
    loop = hot_loop(assembly)
    assert isinstance(loop, Loop)
    return loop


def test_the_wide_main_loop_is_taken_not_its_epilogue_or_its_unrolled_remainder() -> None:
    assert found(EPILOGUE).label == ".LBB0_3"


def test_a_loop_has_its_label_and_exactly_its_instructions() -> None:
    loop = found(EPILOGUE)
    assert loop.lines[0] == ".LBB0_3:"
    assert loop.lines[-1] == "jne .LBB0_3"
    assert len(loop.lines) == 8


def test_loops_of_wrappers_around_the_kernel_are_not_the_kernels() -> None:
    assert {loop.function for loop in loops(EPILOGUE)} == {"kernel"}


def test_multiply_adds_outweigh_a_packing_loop_that_moves_more() -> None:
    assert found(PRODUCT).label == ".LBB1_3"


def test_a_loop_within_others_is_as_deep_as_they_are_many() -> None:
    assert {loop.label: loop.depth for loop in loops(PRODUCT) if loop.function == "kernel"} == {
        ".LBB1_1": 1,
        ".LBB1_2": 2,
        ".LBB1_3": 3,
    }


def test_a_loop_in_a_function_called_from_a_loop_is_deeper_than_that() -> None:
    assert next(loop.depth for loop in loops(PRODUCT) if loop.function == "pack") == 2


def test_only_a_loop_without_another_inside_is_innermost() -> None:
    assert {loop.label for loop in loops(PRODUCT) if loop.innermost} == {".LBB0_1", ".LBB1_3"}


def test_a_loop_behind_a_jump_table_is_found() -> None:
    assert found(TABLE).label == ".LBB0_1"


def test_code_without_a_loop_has_none() -> None:
    assert hot_loop(STRAIGHT) is UNSET
    assert loops("") == ()


def test_counts_of_a_call_overrule_what_a_loop_looks_like() -> None:
    lines = bodies(EPILOGUE)["kernel"].lines
    remainder = lines.index(".LBB0_7:")
    ran = tuple(100 if remainder < place < len(lines) - 2 else 0 for place in range(len(lines)))
    loop = most_run(EPILOGUE, {"kernel": ran})
    assert isinstance(loop, Loop)
    assert loop.label == ".LBB0_7"


def test_no_loop_ran_where_every_count_is_nothing() -> None:
    assert most_run(EPILOGUE, {"kernel": (0,) * len(bodies(EPILOGUE)["kernel"].lines)}) is UNSET


def test_a_block_ends_at_a_jump_and_begins_at_a_label() -> None:
    parts = blocks(bodies(STRAIGHT + ".LBB0_1:\n\tjne\t.LBB0_1\n\tincq\t%rax\n\tretq\n")["kernel"])
    assert [(part.label, part.stop - part.start) for part in parts] == [("", 2), (".LBB0_1", 1), ("", 2)]


def test_two_jumps_back_to_one_block_are_one_loop() -> None:
    text = "kernel:\n.LBB0_1:\n\tjne\t.LBB0_1\n\tjle\t.LBB0_1\n\tretq\n"
    assert natural_loops(blocks(bodies(text)["kernel"])) == {0: frozenset({0, 1})}


def test_a_jump_into_the_middle_of_a_cycle_makes_it_no_loop() -> None:
    text = "kernel:\n\tje\t.LBB0_2\n.LBB0_1:\n\tincq\t%rax\n.LBB0_2:\n\tdecq\t%rcx\n\tjne\t.LBB0_1\n\tretq\n"
    assert natural_loops(blocks(bodies(text)["kernel"])) == {}
