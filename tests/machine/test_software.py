"""Libraries found without importing them."""

import sys
from pathlib import Path

import pytest

from kernelbench.machine import software
from kernelbench.machine.tree import Tree
from kernelbench.model import Library, Unknown


def test_an_unknown_threading_layer_names_the_accepted_ones() -> None:
    assert str(software.thread_layer("pthreads")) == (
        "unknown (Numba has no threading layer 'pthreads': choose tbb, omp, workqueue)"
    )


def test_a_named_threading_layer_is_the_one_chosen() -> None:
    assert software.thread_layer("WORKQUEUE") == "workqueue"


def test_the_priority_variable_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_THREADING_LAYER_PRIORITY", "workqueue omp tbb")
    assert software.thread_layer("default") == "workqueue"


def test_a_backend_that_does_not_load_says_why_without_naming_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "numba" / "np" / "ufunc"
    folder.mkdir(parents=True)
    (tmp_path / "numba" / "__init__.py").write_text("")
    (folder / "omppool.test.so").write_text("not a library")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    reason = str(software.thread_layer("default"))
    assert "tbb: this build of Numba has no tbbpool" in reason
    assert "omp: .../omppool.test.so" in reason
    assert str(tmp_path) not in reason


def test_only_the_file_name_of_a_library_is_kept() -> None:
    found = {"internal_api": "openblas", "version": "0.3", "num_threads": 2, "filepath": "/home/me/lib/libblas.so"}
    assert software._library(found) == Library("openblas", "0.3", 2, "libblas.so")


def test_a_library_that_hides_its_version_is_not_given_one() -> None:
    library = software._library({"internal_api": "mkl", "version": None, "filepath": "libmkl.so"})
    assert isinstance(library.version, Unknown)
    assert isinstance(library.threads, Unknown)


def test_a_recorded_machine_has_no_software_of_this_one(tmp_path: Path) -> None:
    found = software.read(Tree(tmp_path, live=False), "0")
    assert found.packages == {}
    assert isinstance(found.blas, Unknown)
    assert isinstance(found.thread_layer, Unknown)
