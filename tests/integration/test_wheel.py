"""The built wheel, installed where there is no checkout: what a user gets from `pip install kernelbench`."""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from msgspec import UNSET

from kernelbench.store.files import read_result
from tests.integration.tool import KERNELS, PLENTY_S, ROOT, Tool

pytestmark = pytest.mark.slow

WHERE = """
import json, sys
import kernelbench
print(json.dumps([kernelbench.__file__, [p for p in sys.path if p]]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `python -m build` makes it of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=PLENTY_S, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel, which borrows the dependencies, and nothing else, from this one."""
    home = tmp_path_factory.mktemp("home") / "venv"
    venv.create(home, with_pip=False)
    (packages,) = home.glob("lib/python*/site-packages")
    # A folder named in a .pth file is searched, but .pth files inside it (an editable install) are not read.
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "dependencies.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True, timeout=PLENTY_S, check=False)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def installed(home: Path) -> Tool:
    """The script that the wheel brings."""
    return Tool((str(home / "bin" / "kernelbench"),), path=UNSET)


def test_the_wheel_holds_every_file_of_the_package_and_its_configurations(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {path for path in (ROOT / "kernelbench").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    expected = {path.relative_to(ROOT).as_posix() for path in package}
    expected |= {f"kernelbench/configs/{path.name}" for path in (ROOT / "configs").glob("*.toml")}
    assert expected <= names
    assert {"kernelbench/py.typed", "kernelbench/configs/quick.toml"} <= names
    assert any(name.startswith("kernelbench/report/templates/") for name in names)
    others = {name for name in names - expected if ".dist-info/" not in name}
    assert others == set()


def test_what_is_imported_is_the_wheel_and_not_the_checkout(home: Path, tmp_path: Path) -> None:
    command = [str(home / "bin" / "python"), "-c", WHERE]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={}, timeout=PLENTY_S, check=True)
    file, path = json.loads(told.stdout)
    assert Path(file).is_relative_to(home)
    assert str(ROOT) not in path


def test_the_script_of_the_wheel_shows_its_help(installed: Tool, tmp_path: Path) -> None:
    done = installed.run("--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: kernelbench" in done.stdout


def test_info_of_the_wheel_prints_the_machine(installed: Tool, tmp_path: Path) -> None:
    done = installed.run("info", "--json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["cpu"]["architecture"]


def test_the_wheel_measures_its_kernels_and_the_users_from_any_folder(installed: Tool, tmp_path: Path) -> None:
    # What lies in the current folder under our name must not be imported, not by the workers either.
    (tmp_path / "kernelbench").mkdir()
    (tmp_path / "kernelbench" / "__init__.py").write_text("raise SystemExit('imported from the current folder')")
    words = ("-k", "relu/vectorized", "-k", "double/sound", "-m", KERNELS / "faulty.py", "-s", 64, "-t", 1)
    done = installed.run("run", *words, "--rounds", 1, "--no-ceilings", "-o", "run.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    records = read_result(tmp_path / "run.json").records
    assert {record.case.variant for record in records if record.outcome.rounds} == {"relu/vectorized", "double/sound"}
    assert "<!doctype html>" in (tmp_path / "run.html").read_text()[:100].lower()
    shown = installed.run("report", "run.json", folder=tmp_path)
    assert shown.returncode == 0
    assert "relu" in shown.stdout
