"""Compiled code is never stale, and never compiled twice."""

import os
from pathlib import Path

import pytest
from msgspec import structs

from kernelbench.model import Case
from kernelbench.protocol import (
    CaseFailed,
    CaseMeasured,
    Catalogue,
    CatalogueReply,
    Compile,
    Compiled,
    Ready,
)
from kernelbench.runner.process import WorkerProcess
from tests.integration.tool import KERNELS, Workers, ask, case, measure

MAIN = """
from numba import njit

from faulty import double
from helper import twice
from lowlevel import add


@double.variant(style="naive", dtypes=("f32",))
@njit
def by_helper(x, y):
    for i in range(x.size):
        y[i] = twice(x[i])


@double.variant(style="naive", dtypes=("f32",))
@njit
def by_intrinsic(x, y):
    for i in range(x.size):
        y[i] = add(x[i], x[i])
"""

HELPER = """
from numba import njit


@njit
def twice(value):
    return value + value
"""

LOWLEVEL = """
from numba.extending import intrinsic


@intrinsic
def add(typingctx, a, b):
    def codegen(context, builder, signature, args):
        return builder.fadd(*args)

    return a(a, b), codegen
"""


class Project:
    """A user's kernel file with a helper and an intrinsic in files of their own."""

    def __init__(self, folder: Path, workers: Workers) -> None:
        self._folder = folder
        self._workers = workers
        for name, text in {"mine": MAIN, "helper": HELPER, "lowlevel": LOWLEVEL}.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        """(Re)write a file. Neither its size nor its date tells, as when it is edited twice in a second."""
        path = self._folder / f"{name}.py"
        path.write_text(text)
        os.utime(path, (1_700_000_000, 1_700_000_000))

    def worker(self) -> tuple[WorkerProcess, Ready]:
        """A new worker that imports the files as they are now."""
        return self._workers.start(KERNELS / "faulty.py", self._folder / "mine.py")


@pytest.fixture
def project(tmp_path: Path, workers: Workers) -> Project:
    return Project(tmp_path, workers)


@pytest.mark.parametrize(
    ("edited", "text", "affected", "untouched"),
    [
        ("helper", HELPER.replace("value + value", "value - value"), "by_helper", "by_intrinsic"),
        ("lowlevel", LOWLEVEL.replace("fadd", "fsub"), "by_intrinsic", "by_helper"),
        ("mine", MAIN.replace("add(x[i], x[i])", "add(x[i], x[0])"), "by_intrinsic", "by_helper"),
    ],
    ids=["helper", "intrinsic", "kernel file"],
)
def test_an_edit_in_any_file_under_test_changes_what_the_next_process_measures(
    project: Project, edited: str, text: str, affected: str, untouched: str
) -> None:
    worker, before = project.worker()
    for name in (affected, untouched):
        assert isinstance(measure(worker, case(f"double/{name}", 100)), CaseMeasured)
    project.write(edited, text)
    worker, after = project.worker()
    assert isinstance(measure(worker, case(f"double/{affected}", 100)), CaseFailed)
    assert isinstance(measure(worker, case(f"double/{untouched}", 100)), CaseMeasured)
    assert before.source_hash != after.source_hash


def test_code_of_a_users_file_is_loaded_in_a_second_process(project: Project) -> None:
    for misses in (1, 0):
        worker, _ = project.worker()
        for name in ("by_helper", "by_intrinsic"):
            answer = ask(worker, Compile(case(f"double/{name}", 100)))
            assert isinstance(answer, Compiled)
            assert (answer.cache_hits, answer.cache_misses) == (1 - misses, misses), name


def test_what_a_killed_process_could_not_tell_of_its_code_is_found_out(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked = Compile(case("double/by_helper", 100))
    worker, _ = project.worker()
    compiled = ask(worker, asked)
    for facts in (tmp_path / "cache").rglob("facts/*.json"):
        facts.unlink()
    worker, _ = project.worker()
    loaded = ask(worker, asked)
    assert isinstance(compiled, Compiled)
    assert isinstance(loaded, Compiled)
    assert (loaded.cache_hits, loaded.cache_misses) == (1, 0)
    assert loaded.isa_used == compiled.isa_used


def compiled_catalogue(worker: WorkerProcess, *, whole: bool) -> list[Case]:
    """Compiled variants that can run here, at one number type each: all of them, or one on one thread of each op."""
    known = ask(worker, Catalogue())
    assert isinstance(known, CatalogueReply)
    dims = {op.name: op.dims for op in known.ops}
    compiled = [variant for variant in known.variants if variant.compiled and not variant.unavailable]
    chosen = compiled if whole else {variant.op: variant for variant in compiled if not variant.parallel}.values()
    return [
        structs.replace(
            case(variant.name, 9, variant.dtypes[-1], dims[variant.op]),
            params={name: values[0] for name, values in variant.params.items()},
        )
        for variant in chosen
    ]


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_second_process_compiles_nothing_of_the_catalogue_and_knows_the_same_facts(
    workers: Workers, *, whole: bool
) -> None:
    answers: list[dict[str, Compiled]] = []
    for _ in range(2):
        worker, _ = workers.start()
        answers.append({})
        for wanted in compiled_catalogue(worker, whole=whole):
            answer = ask(worker, Compile(wanted))
            assert isinstance(answer, Compiled), (wanted.id, answer)
            answers[-1][wanted.id] = answer
    first, second = answers
    assert first.keys() == second.keys() != set()
    for id, answer in second.items():
        assert answer.cache_misses == 0, id
        assert answer.cache_hits > 0, id
        assert (answer.isa_used, answer.compile_s) == (first[id].isa_used, first[id].compile_s), id
        assert answer.compile_s > 0, id
