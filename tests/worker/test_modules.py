"""Loading kernels that are not the catalogue's: what fails costs its own kernels and no others."""

import importlib.metadata
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from kernelbench.kernels import _registry as registry
from kernelbench.worker import modules

OP = '''
import kernelbench as kb

def op(name):
    return kb.Op(name, "y = x", ("n",), inputs=lambda s, d, r: (), outputs=lambda s, d: (), check=kb.same_as("other"))

{name} = op("{name}")

@{name}.variant(style="naive", dtypes=("f32",))
def kernel(y):
    """Nothing."""
'''

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """``write(name, text)``: a module's path; nothing else is declared, and imports are undone."""
    monkeypatch.setattr(registry, "_OPS", {})
    monkeypatch.setattr(registry, "_VARIANTS", {})
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "path_hooks", [*sys.path_hooks])
    monkeypatch.setattr(sys, "modules", {**sys.modules})

    def made(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return made


def test_each_variant_is_known_by_the_file_that_declares_it(write: Write) -> None:
    files = [write("one.py", OP.format(name="one")), write("two.py", OP.format(name="two"))]
    loaded = modules.load(files)
    assert loaded.broken == ()
    assert loaded.homes == {"one/kernel": files[0], "two/kernel": files[1]}
    assert {variant.name: variant.module for variant in modules.infos(loaded)} == loaded.homes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module' (line 12)"),
        ("def broken(:", "SyntaxError: invalid syntax (bad.py, line 12)"),
        ("import sys; sys.exit('enough')", "SystemExit: enough (line 12)"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines (line 12)"),
        ("op('sound')", "op 'sound' is declared twice; choose another name (line 12)"),
        (
            "bad.variant(style='fast', dtypes=('f32',))(kernel)",
            "variant 'bad/kernel' is declared twice, in bad as well",
        ),
        ("bad.variant(style='fast', dtypes=('f32',), name='b')(kernel)", "has unknown style 'fast'"),
    ],
)
def test_a_module_that_fails_halfway_is_told_in_one_line_and_all_it_declared_is_taken_back(
    write: Write, text: str, why: str
) -> None:
    files = [write("sound.py", OP.format(name="sound")), write("bad.py", OP.format(name="bad") + text)]
    files.append(write("after.py", OP.format(name="after")))
    loaded = modules.load(files)
    ((file, said),) = loaded.broken
    assert file == files[1]
    assert why in said
    assert "\n" not in said
    assert sorted(registry.variants()) == ["after/kernel", "sound/kernel"]
    assert sorted(registry.ops()) == ["after", "sound"]


def test_a_file_that_is_not_there_and_one_that_is_no_python_are_told(write: Write, tmp_path: Path) -> None:
    text = write("kernels.txt", "")
    loaded = modules.load((str(tmp_path / "gone.py"), text))
    assert loaded.broken == (
        (str(tmp_path / "gone.py"), "no such file"),
        (text, "not a Python file: its name must end in .py"),
    )


def test_a_file_named_like_a_module_in_use_does_not_take_its_place(write: Write) -> None:
    import json

    loaded = modules.load((write("json.py", OP.format(name="mine")),))
    assert sys.modules["json"] is json
    assert "mine/kernel" in loaded.homes


def test_a_shared_library_is_under_test_once_it_is_built(write: Write, tmp_path: Path) -> None:
    call = '\n{}.variant(style="naive", dtypes=("i8",), name="c")(kb.c_function("m.so", "f", "void(int8_t *y)"))\n'
    (tmp_path / "m.so").write_bytes(b"code")
    loaded = modules.load((write("c.py", OP.format(name="mine") + call.format("mine")),))
    assert loaded.broken == ()
    assert tmp_path / "m.so" in loaded.files
    assert tmp_path / "c.py" in loaded.files


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``installed("mine = mine_kernels", ...)``: packages that offer kernels by these entry points."""

    def these(*values: str) -> None:
        points = [EntryPoint(*value.split(" = "), modules.GROUP) for value in values]  # type: ignore[misc]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: EntryPoints(points))

    return these


def test_an_installed_package_offers_kernels_by_an_entry_point(
    write: Write, tmp_path: Path, installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("offered_kernels.py", OP.format(name="offered"))
    monkeypatch.syspath_prepend(tmp_path)
    installed("offered = offered_kernels", "gone = offered_kernels_gone")
    loaded = modules.load(())
    assert loaded.homes == {"offered/kernel": "offered_kernels"}
    assert tmp_path / "offered_kernels.py" in loaded.files
    assert loaded.broken == (
        ("entry point gone = offered_kernels_gone", "ModuleNotFoundError: No module named 'offered_kernels_gone'"),
    )
