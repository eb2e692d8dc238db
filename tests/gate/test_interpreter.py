"""An environment's Python as a side."""

import json
import sys
from pathlib import Path

import pytest

import kernelbench
from kernelbench.gate.interpreter import NEEDED
from tests.gate.repositories import executable, refusal, sealed, sides


@pytest.fixture(autouse=True)
def _sealed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sealed(monkeypatch, tmp_path)


def make(folder: Path, version: tuple[int, int, int] = (3, 12, 1), **places: str) -> Path:
    """Something that answers as an environment's Python does."""
    told = {"version": version, "places": dict.fromkeys(NEEDED, "/there") | {"kernelbench": ""} | places}
    return executable(folder / "bin" / "python", f"#!/bin/sh\necho noise\necho '{json.dumps(told)}'\n")


@pytest.mark.parametrize("spec", ["env", "env/bin/python"])
def test_an_environment_or_its_python_runs_our_kernels(tmp_path: Path, spec: str) -> None:
    python = make(tmp_path / "env")
    _, head = sides(tmp_path, str(make(tmp_path / "other")), spec)
    assert (head.kind, head.python, head.rooms) == ("python", str(python), "")
    assert head.notes == (f"{spec} is Python 3.12.1 with the kernels of the running kernelbench",)


def test_a_link_to_a_python_stays_a_link_for_it_tells_the_environment(tmp_path: Path) -> None:
    make(tmp_path / "real")
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").symlink_to(tmp_path / "real" / "bin" / "python")
    assert sides(tmp_path, "real", "env")[1].python == str(tmp_path / "env" / "bin" / "python")


def test_another_kernelbench_that_is_installed_there_gives_the_kernels(tmp_path: Path) -> None:
    package = tmp_path / "site" / "kernelbench"
    (package / "kernels").mkdir(parents=True)
    make(tmp_path / "env", kernelbench=str(package))
    base, _ = sides(tmp_path, "env", str(make(tmp_path / "other")))
    assert base.rooms == str(tmp_path / "site")
    assert f"the kernelbench installed there ({tmp_path / 'site'})" in base.notes[0]


def test_the_running_kernelbench_installed_there_is_not_another(tmp_path: Path) -> None:
    make(tmp_path / "env", kernelbench=str(Path(kernelbench.__file__).parent))
    assert sides(tmp_path, "env", str(make(tmp_path / "other")))[0].rooms == ""


def test_one_python_on_both_sides_is_an_a_a(tmp_path: Path) -> None:
    make(tmp_path / "env")
    assert "the same files on both sides: this is an A/A" in sides(tmp_path, "env", "env")[1].notes


def test_what_it_lacks_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    python = make(tmp_path / "env", numba="", msgspec="")
    assert f"lacks numba, msgspec: install into it what its workers need: {python} -m pip install numba msgspec" in (
        refusal(tmp_path, "env", "env")
    )


def test_one_that_is_too_old_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "env", version=(3, 9, 18))
    assert "is Python 3.9.18; a side needs Python 3.11 or newer" in refusal(tmp_path, "env", "env")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\necho 'No module named importlib.util' >&2\nexit 1\n", "no working Python 3: No module named"),
        ("#!/bin/sh\nexit 0\n", "does not answer as a Python does"),
        ("#!/bin/sh\necho '{\"version\": 3}'\n", "does not answer as a Python does"),
        ("#!/nonexistent\n", "cannot be started"),
    ],
)
def test_one_that_does_not_work_is_refused(tmp_path: Path, text: str, said: str) -> None:
    executable(tmp_path / "env" / "bin" / "python", text)
    assert said in refusal(tmp_path, "env", "env")


def test_the_running_python_answers(tmp_path: Path) -> None:

    _, head = sides(tmp_path, sys.executable, sys.executable)
    assert head.python == sys.executable


def test_a_program_that_is_no_python_is_never_started(tmp_path: Path) -> None:
    executable(tmp_path / "deploy", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    refusal(tmp_path, "./deploy")
    assert not (tmp_path / "ran").exists()
