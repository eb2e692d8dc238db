"""A Python that has the other gates: the running one, or a throw-away environment on top of it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from msgspec import Struct

PACKAGES = {"pytest_benchmark": "pytest-benchmark", "pyperf": "pyperf", "scipy": "scipy"}
"""What is needed: module -> its package."""
INSTALL_S = 600.0


class Tools(Struct, frozen=True):
    """Where the gates are."""

    python: str
    missing: dict[str, str]
    """Why a module is not there, by module."""
    versions: dict[str, str]


def find(folder: Path) -> Tools:
    """The running Python where it has every package, else an environment made in ``folder`` that pip fills.

    A package that pip cannot get is missing with pip's last word; nothing is raised.
    """
    python, why = sys.executable, {}
    lacking = [module for module in PACKAGES if importlib.util.find_spec(module) is None]
    if lacking:
        python = _made(folder)
        for module in lacking:
            done = subprocess.run(
                [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGES[module]],
                capture_output=True,
                text=True,
                timeout=INSTALL_S,
                check=False,
            )
            if done.returncode:
                said = done.stderr.strip().splitlines() or ["pip said nothing"]
                why[module] = f"pip cannot install {PACKAGES[module]}: {said[-1]}"
    versions = {module: _version(python, PACKAGES[module]) for module in PACKAGES if module not in why}
    return Tools(python, why, versions)


def _made(folder: Path) -> str:
    """An environment that also sees what the running Python sees."""
    venv.create(folder, with_pip=True, clear=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    seen = sysconfig.get_path("purelib")
    # A line that runs: a plain path would not read the .pth files there, among them that of an editable install.
    line = f"import site; site.addsitedir({seen!r})\n"
    (folder / "lib" / version / "site-packages" / "beneath.pth").write_text(line)
    return str(folder / "bin" / "python")


def _version(python: str, package: str) -> str:
    text = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", text], capture_output=True, text=True, check=False).stdout.strip()
