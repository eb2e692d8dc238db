"""The verification proven by mutation: kernels with one small thing wrong are caught, and where."""

import re

import pytest

from kernelbench.model import Case
from kernelbench.protocol import CaseFailed, CaseMeasured
from kernelbench.runner.process import WorkerProcess
from tests.integration.tool import KERNELS, Workers, case, measure

LARGE = 257
"""A matmul of this size is checked by projection and by samples, and ends in a tile of one row and column."""


def product(name: str, dtype: str = "f32", n: int = LARGE) -> Case:
    return case(f"matmul/{name}", n, dtype, "mnk")


def doubled(name: str) -> Case:
    return case(f"double/{name}", 1000)


MUTANTS = [
    (product("edge_tile_lacks_a_step"), "verify", "row 256 is wrong"),
    (product("one_inner_element_wrong"), "verify", "row 101 is wrong"),
    (product("off_by_one_in_a_lane", "i8"), "verify", r"1 of 66049 integers differ .* first at \[256, 254\]"),
    (product("off_by_one_in_a_lane", "i8", 48), "verify", r"1 of 2304 integers differ .* first at \[47, 45\]"),
    (product("last_integer_not_written", "i8"), "verify", r"first at \[256, 256\]: got -2147483648"),
    (doubled("last_not_written"), "verify", r"1 of 1000 elements wrong; worst at \[999\]: got nan"),
    (doubled("raises_at_once"), "verify", "raised an exception .*ValueError: no first call"),
    (doubled("raises_soon"), "warm-up", "raised an exception .*ValueError: no third call"),
    (doubled("raises_while_timed"), "timing", "raised an exception .*ValueError: no fourth call"),
    (doubled("raises_while_timed_python"), "timing", "ValueError: no fourth call"),
    (doubled("right_once"), "verify-after", "1000 of 1000 elements wrong"),
    (doubled("works_once"), "verify-after", "it wrote nothing into its outputs"),
    (doubled("right_once_python"), "verify-after", "1 of 1000 elements wrong"),
    (doubled("changes_its_input"), "verify-after", "changed its inputs"),
]

SOUND = [
    product("tiled"),
    product("int8", "i8"),
    product("int8", "i8", 48),
    doubled("sound"),
    doubled("sound_python"),
]


@pytest.fixture(scope="module")
def worker(workers: Workers) -> WorkerProcess:
    return workers.start(KERNELS / "faulty.py", KERNELS / "mutants.py")[0]


@pytest.mark.parametrize(("wanted", "stage", "message"), MUTANTS, ids=[wanted.id for wanted, _, _ in MUTANTS])
def test_a_mutant_is_caught_in_the_stage_that_shows_it(
    worker: WorkerProcess, wanted: Case, stage: str, message: str
) -> None:
    answer = measure(worker, wanted)
    assert isinstance(answer, CaseFailed)
    assert answer.stage == stage
    assert re.search(message, answer.message), answer.message


@pytest.mark.parametrize("wanted", SOUND, ids=lambda x: x.id)
def test_what_the_mutants_were_made_from_passes(worker: WorkerProcess, wanted: Case) -> None:
    assert isinstance(measure(worker, wanted), CaseMeasured)
