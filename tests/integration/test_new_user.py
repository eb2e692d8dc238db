"""Someone new types what the README shows, and what `kernelbench init` prints, and nothing else."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kernelbench.model import Measured
from kernelbench.model.result import Record
from kernelbench.store.files import read_result
from tests.integration.tool import PLENTY_S, ROOT, Tool

README = (ROOT / "README.md").read_text()
SHORT = {"KERNELBENCH_RUN_ROUNDS": "1", "KERNELBENCH_RUN_QUIET": "1"}
"""One round: this is about what works, not about how fast it is."""


def commands() -> list[str]:
    """What the README's section shows, line by line, without the remarks."""
    (block,) = re.findall(r"<!-- tested: new user -->\n```console\n(.*?)```", README, re.DOTALL)
    return [line.removeprefix("$ ").partition("  #")[0].strip() for line in block.splitlines()]


class Shell:
    """A shell in a folder of its own, where `kernelbench` is the one under test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        script = folder / "bin" / "kernelbench"
        script.parent.mkdir()
        words = (sys.executable, "-P", "-m", "kernelbench")
        script.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.join(words)} "$@"\n')
        script.chmod(0o755)
        self._variables = {**os.environ, **SHORT, "PATH": f"{script.parent}:{os.environ['PATH']}"}

    def type(self, command: str) -> str:
        """What ``command`` prints; it must succeed."""
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PLENTY_S,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def records(self) -> list[dict[str, Record]]:
        """Each result so far, the oldest first: variant and size -> its record."""
        files = sorted((self.folder / "results").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [{record.case.id: record for record in read_result(file).records} for file in files]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("new"))


@pytest.fixture(scope="module")
def shown(shell: Shell) -> dict[int, str]:
    """What each command of the README printed, by its place."""
    return {place: shell.type(command) for place, command in enumerate(commands())}


def test_the_readme_shows_the_start_the_edit_two_runs_and_a_report() -> None:
    words = [command.split()[:2] for command in commands()]
    run = ["kernelbench", "run"]
    assert words == [["kernelbench", "init"], run, ["sed", "-i"], run, ["kernelbench", "report"]]


def test_every_command_of_the_readme_works_as_shown(shown: dict[int, str]) -> None:
    assert len(shown) == len(commands())


def test_what_init_prints_is_what_the_readme_shows(shown: dict[int, str]) -> None:
    printed = [line.strip() for line in shown[0].splitlines() if line.startswith("  kernelbench")]
    assert [command for command in commands() if command not in printed and "init" not in command] == [commands()[2]]


def test_only_the_kernels_of_the_file_are_measured(shown: dict[int, str], shell: Shell) -> None:
    first, second = shell.records()[:2]
    assert {record.case.variant for record in first.values()} == {"demo/loop", "demo/numpy"}
    assert all(isinstance(record.outcome, Measured) for record in (*first.values(), *second.values()))


def test_the_edited_line_changes_the_code_that_is_measured(shown: dict[int, str], shell: Shell) -> None:
    first, second = shell.records()[:2]
    loops = [id for id in first if id.startswith("demo/loop/")]
    assert loops
    assert [(first[id].fastmath, second[id].fastmath) for id in loops] == [(False, True)] * len(loops)


def test_the_report_says_how_close_to_the_roof_it_is_and_what_to_do(shown: dict[int, str]) -> None:
    report = shown[len(shown) - 1]
    assert "% roof" in report
    assert "demo n=4096" in report
    assert "Roofline at 1 thread" in report
    assert "What to do next" in report or "reaches" in report


def test_the_configuration_runs_as_it_is_and_judges_its_rule(shown: dict[int, str], shell: Shell) -> None:
    (command,) = [line.strip() for line in shown[0].splitlines() if line.strip().endswith("demo.toml")]
    text = shell.type(f"{command} --no-ceilings --no-html")
    assert "rounding stays small" in text
    assert len(shell.records()[-1]) == 6


def test_a_file_started_in_another_folder_runs_from_here(tool: Tool, tmp_path: Path) -> None:
    printed = tool.run("init", "other", "--dir", "my kernels", folder=tmp_path).stdout
    (command,) = [line.strip() for line in printed.splitlines() if line.strip().startswith("kernelbench run -m")]
    done = tool.run(*shlex.split(command)[1:], "--dry-run", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "other/loop" in done.stdout
