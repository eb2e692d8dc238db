"""What the README shows works as shown."""

import re
from pathlib import Path

from kernelbench.cli import COMMANDS
from tests.integration.tool import ROOT, Tool

README = (ROOT / "README.md").read_text()


def test_the_kernel_file_of_the_readme_runs_as_it_stands(tool: Tool, tmp_path: Path) -> None:
    (code,) = re.findall(r"<!-- tested: my_kernels.py -->\n```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "my_kernels.py").write_text(code)
    words = ("run", "-m", "my_kernels.py", "-k", "double/*", "-s", "1000", "--rounds", "1", "--no-ceilings")
    done = tool.run(*words, "-o", "mine.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "double n=1000" in done.stdout


def test_every_command_and_option_that_the_readme_shows_exists(tool: Tool, tmp_path: Path) -> None:
    shown = re.findall(r"^\$ kernelbench (\w+)(.*?)(?:\s+#.*)?$", README, re.MULTILINE)
    assert len(shown) > 5
    for command, rest in shown:
        assert command in COMMANDS, command
        text = tool.run(command, "--help", folder=tmp_path).stdout
        for option in re.findall(r"(?<!\S)(--?[a-z-]+)", rest):
            assert re.search(rf"(?<!\S){option}\b", text), f"kernelbench {command} {option}"
