"""git as this room uses it: in one folder, with a deadline, deaf to the repository that a calling hook means."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from msgspec import Struct

from kernelbench.errors import UsageError

QUERY_S = 30.0
"""Longest wait for a question about a repository; `git status` of a large one on a cold disk takes seconds."""

_GIVE_UP_S = 5.0
"""How long git may take to clean up after itself when told to stop."""

_PLACES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
"""Where a repository is, as a hook is told (`git rev-parse --local-env-vars`); configuration (GIT_CONFIG_*) stays."""


class Answer(Struct, frozen=True):
    """What one git command said."""

    code: int
    """Its exit status."""
    out: str
    """Bytes that are not UTF-8 (a file's name) come as surrogates, as everywhere in ``os``."""
    err: str

    @property
    def why(self) -> str:
        """What it complained about, on one line that is safe to print."""
        lines = [line.strip() for line in self.err.splitlines()]
        return printable(" ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in lines if line))


def git(folder: Path, *words: str, timeout_s: float = QUERY_S) -> Answer:
    """What `git WORDS` answers in ``folder``; it may wait ``timeout_s`` seconds.

    Raises UsageError when git is missing or does not answer in time.
    """
    process = _start(folder, words)
    with process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise UsageError(
                f"git did not answer within {timeout_s:g} s (git {_shown(words)}, in {folder}); try again when the disk"
                " is less busy, or give folders instead of refs"
            ) from error
        finally:
            if process.poll() is None:
                _end(process)
    return Answer(process.returncode, os.fsdecode(out), os.fsdecode(err))


def printable(text: str) -> str:
    """``text`` with what a terminal would obey, and names' bytes that are no text, replaced by "?"."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _start(folder: Path, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    try:
        # In a session of its own: Ctrl-C then reaches us alone, and we tell git in order.
        return subprocess.Popen(
            ["git", "-C", str(folder), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(
            f"git cannot be started ({error.strerror}); install it, or give folders instead of refs"
        ) from error


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _PLACES}
    # Its messages are read; nobody is there to type a password; looking may not rewrite the user's index; and
    # large files stay pointers even where their filter is set up in a way that we do not switch off.
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop git and what it started. Asked first: it removes its lock files and half a checkout when it can."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GIVE_UP_S)
            return


def _shown(words: tuple[str, ...]) -> str:
    """The command without the options before it that every call of its kind has."""
    plain = [word for index, word in enumerate(words) if word != "-c" and (index == 0 or words[index - 1] != "-c")]
    return printable(" ".join(plain[:2]))
