"""What is generated in docs/ is what its generator writes today."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from msgspec.structs import replace

from kernelbench.errors import UsageError
from kernelbench.model import Result
from kernelbench.store.files import read_result

DOCS = Path(__file__).parents[2] / "docs"


def script(name: str) -> ModuleType:
    """One of docs/make, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_make_{name}", DOCS / "make" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run() -> Result:
    return read_result(DOCS / "example" / "run.json")


def test_the_catalogue_is_that_of_the_registry() -> None:
    made = script("kernels").page()
    assert (DOCS / "KERNELS.md").read_text(encoding="utf-8") == made, "stale: run `python docs/make/kernels.py`"


def test_the_reading_lesson_quotes_the_run_that_is_beside_it(run: Result) -> None:
    made = script("reading").render(run)
    assert (DOCS / "READING.md").read_text(encoding="utf-8") == made, "stale: run `python docs/make/reading.py`"


def test_the_example_is_small_enough_for_every_clone() -> None:
    assert (DOCS / "example" / "run.json").stat().st_size <= script("example").MOST_BYTES


def test_a_run_without_a_quoted_case_stops_the_lesson_and_names_the_case(run: Result) -> None:
    without = tuple(r for r in run.records if r.case.id != "sum/naive/f32/n=65536/t=1")
    with pytest.raises(UsageError, match="sum/naive/f32/n=65536/t=1"):
        script("reading").render(replace(run, records=without))


def test_a_run_that_does_not_show_what_the_prose_says_stops_the_lesson() -> None:
    with pytest.raises(UsageError, match="does not show that the ladder climbs"):
        script("reading").holds(False, "the ladder climbs")


def test_reducing_a_reduced_run_changes_nothing(run: Result) -> None:
    assert script("example").reduced(run) == run


def test_reducing_a_run_that_lacks_a_ladder_names_it(run: Result) -> None:
    without = tuple(r for r in run.records if r.case.op != "transpose")
    with pytest.raises(UsageError, match=r"transpose/\*"):
        script("example").reduced(replace(run, records=without))


def test_counts_are_kept_to_the_last_digit_where_times_are_rounded() -> None:
    assert script("example")._rounded([268435456.0, 1.23456789e-05, 1234567]) == [268435456.0, 1.23457e-05, 1234567]
