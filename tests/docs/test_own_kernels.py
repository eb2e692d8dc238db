"""docs/OWN_KERNELS.md names the arguments, styles and messages that there are."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import kernelbench as kb
from kernelbench.cli import COMMANDS
from kernelbench.model import STYLES, Work
from kernelbench.timing.guards import GUARD

PACKAGE = Path(kb.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "OWN_KERNELS.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """The text below ``heading``, up to the next one."""
    assert f"\n## {heading}\n" in PAGE
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def firsts(heading: str) -> list[str]:
    """What stands as code in the first column of the section's table."""
    cells = re.findall(r"^\| (`.*?) \|", section(heading), re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def said() -> Iterator[str]:
    """Every text in the sources, with … where a value is put in."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


TEXTS = "\n".join(said())


@pytest.mark.parametrize("message", firsts("What the messages mean"))
def test_every_message_explained_is_one_that_is_given(message: str) -> None:
    assert [part for part in message.split("…") if part.strip() not in TEXTS] == []


def test_every_part_of_an_op_is_one_that_it_takes() -> None:
    names = {re.split(r"\W", first)[0] for first in firsts("An op: what is computed")}
    assert names <= {field.name for field in fields(kb.Op)}
    assert names >= {field.name for field in fields(kb.Op)} - {"name", "summary", "dims", "square"}


def test_every_argument_of_a_variant_is_explained_and_no_other() -> None:
    names = {first.partition("=")[0] for first in firsts("Variants: how it is computed")}
    taken = set(inspect.signature(kb.Op.variant).parameters) - {"self", "style", "dtypes", "name", "types"}
    assert names == taken


def test_every_style_is_listed() -> None:
    text = section("Variants: how it is computed")
    listed = text.partition("is one of ")[2].partition('. "')[0]
    assert tuple(re.findall(r"`(\w+)`", listed)) == STYLES


def test_every_field_of_the_work_of_a_call_is_explained() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `work(shape"))
    assert set(Work.__struct_fields__) - {"model", "prepared_bytes"} <= set(re.findall(r"`(\w+)`", row))


def test_the_commands_said_to_take_kernel_files_do() -> None:
    (bullet,) = re.findall(r"^\* `-m FILE.py`(.*?)\. The", PAGE, re.MULTILINE)
    for name in re.findall(r"`(\w+)`", bullet):
        command = importlib.import_module(COMMANDS[name][0]).command
        assert "modules" in {option.name for option in command.params}, name


def test_the_width_of_the_zones_around_operands_is_the_one_that_is_checked() -> None:
    assert f"{GUARD} bytes before and after each" in PAGE


def test_every_public_name_the_page_uses_exists() -> None:
    assert [name for name in re.findall(r"\bkb\.(\w+)", PAGE) if name not in kb.__all__] == []
