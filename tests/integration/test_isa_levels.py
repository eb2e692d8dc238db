"""Every variant at every instruction-set level that this machine can run, on sizes that fit no tile."""

import json
from pathlib import Path

import pytest

from tests.integration.tool import Tool

pytestmark = pytest.mark.slow

SIZES = ("-s", "matmul:1,7,65x33x129", "-s", "relu:1,1021", "-s", "triad:1,1021")


def usable_levels(tool: Tool, folder: Path) -> list[str]:
    machine = json.loads(tool.run("info", "--json", folder=folder).stdout)
    return [level["name"] for level in machine["cpu"]["isa_levels"] if level["usable"]]


def test_every_variant_is_right_at_every_level(tool: Tool, tmp_path: Path) -> None:
    levels = usable_levels(tool, tmp_path)
    assert levels, "no machine runs nothing"
    for level in levels:
        done = tool.run("run", "--dry-run", "--isa", level, "-t", "1", *SIZES, "--quiet", folder=tmp_path)
        assert done.returncode == 0, f"{level}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        assert "failed" not in done.stdout


def test_the_registers_in_the_emitted_code_prove_the_level(tool: Tool, tmp_path: Path) -> None:
    narrowest_first = ["scalar", "sse2", "sse4.2", "avx2", "avx512"]
    for level in set(usable_levels(tool, tmp_path)) & set(narrowest_first):
        output = tmp_path / f"{level}.json"
        words = ("run", "-k", "triad/vectorized", "--isa", level, "-s", "1021", "-t", "1", "--rounds", "1")
        done = tool.run(*words, "--no-ceilings", "--no-html", "--quiet", "-o", output, folder=tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
        for record in json.loads(output.read_text())["records"]:
            used = record["isa_used"]
            assert narrowest_first.index(used) <= narrowest_first.index(level), (record["case"]["id"], used)
            if level in ("avx2", "avx512"):
                assert used == level
