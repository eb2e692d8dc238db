"""The steps of action.yml, run as GitHub's runner runs them."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

import kernelbench
from tests.gate.repositories import executable

ROOT = Path(kernelbench.__file__).resolve().parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]

FAKE = """#!/bin/bash
printf '%s\\0' "$@" >"$FAKE_FOLDER/arguments"
echo "$FAKE_TABLE"
while (($#)); do
    case $1$2 in
        --formatmd=*) printf '%s' "$FAKE_MARKDOWN" >"${2#*=}" ;;
        --formatjunit=*) printf '%s' "$FAKE_JUNIT" >"${2#*=}" ;;
        --output*) printf '%s' "$FAKE_RESULT" >"$2" ;;
    esac
    shift
done
if [[ -n $GITHUB_STEP_SUMMARY ]]; then printf '%s' "$FAKE_MARKDOWN" >>"$GITHUB_STEP_SUMMARY"; fi
exit "$FAKE_CODE"
"""
"""A command that notes how it was called, writes what it is told to write, and exits as it is told."""


class Ended:
    """What a step left behind."""

    def __init__(self, folder: Path, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.log, self.folder = done.returncode, done.stdout + done.stderr, folder
        self.summary = _read(folder / "summary.md")
        self.outputs = dict(line.split("=", 1) for line in _read(folder / "output").splitlines())

    @property
    def arguments(self) -> list[str]:
        """What the fake command was called with; empty when it was not."""
        return _read(self.folder / "arguments").split("\0")[:-1]

    def values_of(self, option: str) -> list[str]:
        """What followed each ``option``."""
        words = self.arguments
        return [words[at + 1] for at, word in enumerate(words) if word == option]


def run_step(
    name: str,
    folder: Path,
    inputs: Mapping[str, str] = MappingProxyType({}),
    command: str = "kernelbench",
    **fake: str,
) -> Ended:
    """Run the step called ``name`` with ``inputs`` over the defaults, and a fake ``command`` first on PATH."""
    (step,) = [step for step in STEPS if step["name"] == name]
    executable(folder / "bin" / command, FAKE)
    (folder / "runner temp").mkdir()
    (folder / "work").mkdir()
    script = folder / "step.sh"
    script.write_text(step["run"])
    behaviour = {"CODE": "0", "TABLE": "", "MARKDOWN": "", "RESULT": "", "JUNIT": "", **fake}
    environment = {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "RUNNER_TEMP": str(folder / "runner temp"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output"),
        "FAKE_FOLDER": str(folder),
        **{f"FAKE_{key}": value for key, value in behaviour.items()},
        **{key: expanded(value, inputs) for key, value in step.get("env", {}).items()},
    }
    # As the runner calls it for `shell: bash`.
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        cwd=folder / "work",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(folder, done)


def expanded(text: str, inputs: Mapping[str, str]) -> str:
    """``text`` with its ``${{ }}`` replaced. Fails the test for one that is neither an input nor the action's place."""
    given = {name: str(about["default"]) for name, about in ACTION["inputs"].items()} | dict(inputs)

    def value(match: re.Match[str]) -> str:
        expression = match[1].strip()
        return str(ROOT) if expression == "github.action_path" else given[expression.removeprefix("inputs.")]

    return re.sub(r"\$\{\{(.*?)\}\}", value, text)


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""
