"""`kernelbench init` writes a kernel file and a configuration, and refuses names that would not do."""

import ast
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kernelbench import starter
from kernelbench.cli.init import command
from kernelbench.config import load
from kernelbench.errors import StoreError, UsageError
from kernelbench.model import OpInfo
from kernelbench.protocol import CatalogueReply
from kernelbench.runner import library


@pytest.fixture(autouse=True)
def _known_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "list_catalogue", lambda modules: CatalogueReply((OpInfo("relu", "", ("n",)),), ()))


def init(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def refusal(*words: object) -> str:
    """The one line of the refusal."""
    error = init(*words).exception
    assert isinstance(error, UsageError), error
    assert "\n" not in str(error)
    return str(error)


def test_both_files_carry_the_name_given(tmp_path: Path) -> None:
    assert init("softplus", "--dir", tmp_path).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["softplus.py", "softplus.toml"]
    code = (tmp_path / "softplus.py").read_text()
    assert 'kb.Op("softplus"' in code
    assert "demo" not in code + (tmp_path / "softplus.toml").read_text()


@pytest.mark.parametrize("name", ["op", "np", "kb", "loop", "range", "work", "x"])
def test_a_name_that_the_module_uses_itself_does_no_harm(name: str) -> None:
    defined = {node.id for node in ast.walk(ast.parse(starter.texts(name)[".py"])) if isinstance(node, ast.Name)}
    assert defined == {
        node.id for node in ast.walk(ast.parse(starter.texts("demo")[".py"])) if isinstance(node, ast.Name)
    }


def test_the_configuration_is_valid_and_names_the_module_beside_it(tmp_path: Path) -> None:
    init("mine", "--dir", tmp_path)
    config = load(tmp_path / "mine.toml")
    assert config.modules == (str(tmp_path / "mine.py"),)
    assert config.matrix[0].kernels == ("mine/*",)


def test_the_rule_that_waits_for_the_edit_is_a_valid_one(tmp_path: Path) -> None:
    init("mine", "--dir", tmp_path)
    text = (tmp_path / "mine.toml").read_text()
    head, mark, tail = text.partition("# [[expect]]")
    assert mark
    (tmp_path / "mine.toml").write_text(head + (mark + tail).replace("# ", ""))
    assert len(load(tmp_path / "mine.toml").expect) == 1 + len(tomllib.loads(text)["expect"])


def test_exactly_one_line_is_marked_to_be_edited() -> None:
    code = starter.texts("demo")[".py"]
    assert code.count("EDIT the next line") == 1
    assert code.count("\nFASTMATH = False\n") == 1


def test_the_next_commands_name_the_files_as_they_are_found_from_here(tmp_path: Path) -> None:
    folder = tmp_path / "my kernels"
    shown = init("mine", "--dir", folder).stdout
    commands = [shlex.split(line) for line in shown.splitlines() if line.startswith("  kernelbench run")]
    files = {word for words in commands for word in words if word.endswith((".py", ".toml"))}
    assert files == {str(folder / "mine.py"), str(folder / "mine.toml")}


def test_what_is_printed_fits_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert max(map(len, init("demo").stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("my-op", "write my_op"),
        ("softplus.py", "write softplus"),
        ("../softplus", "write softplus"),
        ("1st", "write my_1st"),
        ("class", "write my_class"),
        ("__main__", "write main"),
        ("", "write my_kernels"),
        ("é", "write my_kernels"),
        ("\x1b[31m", "write my_31m"),
        (100 * "a", "at most 60"),
    ],
)
def test_a_name_that_no_module_can_have_is_refused_with_one_that_will_do(
    name: str, instead: str, tmp_path: Path
) -> None:
    text = refusal("--dir", tmp_path, "--", name)
    assert "cannot name a module" in text
    assert instead in text
    assert "\x1b" not in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["numpy", "kernelbench", "random", "sys", "pytest"])
def test_a_name_that_would_hide_another_module_is_refused(name: str, tmp_path: Path) -> None:
    assert f"which {name}.py would hide; write my_{name}" in refusal(name, "--dir", tmp_path)


def test_a_name_that_an_op_has_is_refused(tmp_path: Path) -> None:
    assert refusal("relu", "--dir", tmp_path) == "'relu' is an op of kernelbench (`kernelbench list`); write my_relu"


@pytest.mark.parametrize("there", ["mine.py", "mine.toml"])
def test_files_that_are_there_are_kept_and_nothing_is_written(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("precious")
    text = refusal("mine", "--dir", tmp_path)
    assert text == f"{tmp_path / there} is there already; choose another name, or --force to write over it"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "precious")]


def test_force_writes_over_them(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("old")
    assert init("mine", "--dir", tmp_path, "--force").exit_code == 0
    assert "EDIT the next line" in (tmp_path / "mine.py").read_text()


def test_a_folder_of_that_name_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    assert refusal("mine", "--dir", tmp_path, "--force") == f"{tmp_path / 'mine.toml'} is a folder; choose another name"


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = refusal("mine", "--dir", tmp_path / "file")
    assert text.startswith(f"{tmp_path / 'file'} cannot be written to (")
    assert text.endswith("make it writable or choose another with --dir")


def test_a_full_disk_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        raise StoreError(f"{path} was not written: the disk is full")

    monkeypatch.setattr(starter, "write_text_atomic", full)
    assert isinstance(init("mine", "--dir", tmp_path).exception, StoreError)
