"""Which kernelbench this is: its version, and the commit when it runs from a checkout."""

import subprocess
from pathlib import Path

from msgspec import UNSET, UnsetType

from kernelbench import __version__
from kernelbench.model import METHOD_VERSION, Tool

ROOT = Path(__file__).resolve().parents[2]

_GIT_TIMEOUT_S = 5.0


def this_tool(root: Path = ROOT) -> Tool:
    """Version, method and, where ``root`` is a git checkout and git works, commit and dirtiness."""
    if not (root / ".git").exists():
        return Tool(__version__, METHOD_VERSION)
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "kernelbench")
    if commit is UNSET or changes is UNSET:
        return Tool(__version__, METHOD_VERSION)
    return Tool(__version__, METHOD_VERSION, commit=commit, dirty=bool(changes))


def _git(root: Path, *words: str) -> str | UnsetType:
    """What git prints; UNSET where git is missing or refuses (another user's checkout)."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return UNSET
    return done.stdout.strip()
