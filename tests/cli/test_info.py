"""``kernelbench info``."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from kernelbench import machine as detection
from kernelbench.cli.info import command, render
from kernelbench.machine import detect
from kernelbench.model import Machine
from tests.machine import recorded


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    names = (recorded.HYBRID, recorded.CGROUP2, recorded.GUEST)
    return {name: recorded.write(recorded.files_of(name), tmp_path_factory.mktemp(name)) for name in names}


@pytest.fixture
def guest(roots: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The command runs on the recorded guest."""
    machine = detect(roots[recorded.GUEST])
    monkeypatch.setattr(detection, "detect", lambda: machine)
    return machine


def test_json_is_the_machine_and_nothing_else(guest: Machine) -> None:
    result = CliRunner().invoke(command, ["--json"])
    assert result.exit_code == 0
    assert msgspec.json.decode(result.stdout, type=Machine) == guest
    assert result.stderr == ""


def test_the_block_fits_80_columns_on_every_machine(roots: dict[str, Path], tmp_path: Path) -> None:
    for root in (*roots.values(), tmp_path):
        text = render(detect(root))
        assert max(map(len, text.splitlines())) <= 80


def test_the_block_names_machine_processor_and_limits(guest: Machine) -> None:
    lines = CliRunner().invoke(command).stdout.splitlines()
    assert lines[0] == f"Machine {guest.id}"
    assert "  model             AMD EPYC" in lines
    assert "  usable levels     scalar sse2 sse4.2 avx2 avx512" in lines
    assert "  L2                1 MiB, 8-way, 64 B lines, 2 instances, of CPUs 0 | 1" in lines
    assert "  cgroup memory     no limit" in lines


def test_what_is_unknown_says_why(guest: Machine) -> None:
    assert "  governor          unknown (no cpufreq folder: KVM guest)" in CliRunner().invoke(command).stdout


def test_a_level_that_cannot_be_used_says_why(roots: dict[str, Path]) -> None:
    assert "  no sse4.2         the CPU lacks ssse3, sse4.1, sse4.2" in render(detect(roots[recorded.CGROUP2]))


def test_kinds_of_core_are_shown_on_a_hybrid_machine(roots: dict[str, Path]) -> None:
    text = render(detect(roots[recorded.HYBRID]))
    assert "  performance       CPUs 0-11, up to 5.20 GHz" in text
    assert "  efficiency        CPUs 12-19, up to 3.90 GHz" in text
