"""The git repository that a folder lies in: what is asked of it, never anything that changes it."""

import difflib
import shutil
from pathlib import Path

from msgspec import Struct

from kernelbench.errors import UsageError
from kernelbench.gate.git import Answer, git, printable

MAX_REFS = 2000
"""Newest refs among which a mistyped one is looked for."""

_SAYS_NOTHING = ("Needed a single revision", "unknown revision", "bad revision")
"""git's words for "there is no such ref", which our own message says better."""


class NoRepository(Struct, frozen=True):
    """A folder of which git knows nothing."""

    reason: str
    is_plain: bool
    """True when there simply is none; False when git is missing or refuses to look at it."""


class Repository(Struct, frozen=True):
    """A repository as found from one folder."""

    root: Path
    """Top of the working tree; the repository itself where that is bare."""
    inside: Path
    """The folder asked about, relative to ``root``."""
    store: Path
    """git's own folder, shared by all working trees of the repository."""
    is_shallow: bool
    """True when older commits were left out (`git clone --depth`)."""


class Revision(Struct, frozen=True):
    """A commit that somebody named."""

    commit: str
    """All hexadecimal digits."""
    warning: str
    """What git says about the name ("refname 'v1' is ambiguous"); mostly empty."""


def find(folder: Path) -> Repository | NoRepository:
    """The repository that ``folder`` lies in. Raises UsageError when git does not answer."""
    if not shutil.which("git"):
        return NoRepository("git is not installed (there is none on PATH)", is_plain=False)
    facts = git(folder, "rev-parse", "--is-inside-work-tree", "--is-shallow-repository", "--git-common-dir")
    if facts.code:
        plain = "not a git repository" in facts.err
        return NoRepository(f"{folder} lies in no git repository" if plain else f"git refuses: {facts.why}", plain)
    in_tree, shallow, store = facts.out.removesuffix("\n").split("\n", 2)
    common = (folder / store).resolve()
    if in_tree != "true":
        return Repository(common, Path(), common, shallow == "true")
    top = git(folder, "rev-parse", "--show-toplevel")
    root = Path(top.out.removesuffix("\n")).resolve()
    return Repository(root, folder.resolve().relative_to(root), common, shallow == "true")


def revision(repository: Repository, ref: str) -> Revision:
    """The commit that ``ref`` names. Raises UsageError naming the ref and the nearest ones."""
    # git would take the first for an option.
    if ref.startswith("-") or not ref:
        raise UsageError(
            f"{printable(ref)!r} cannot be a git ref; give a branch, a tag, a commit, a folder or a kernel file"
        )
    named = git(repository.root, "rev-parse", "--verify", ref)
    if named.code:
        raise _unknown(repository, ref, named)
    # In two steps, for a suffix would become part of a ref such as ":/words of a message"; and a name of 40 digits
    # is taken for an object without looking whether there is one.
    commit = git(repository.root, "rev-parse", "--verify", f"{named.out.strip()}^{{commit}}")
    if commit.code:
        kind = git(repository.root, "cat-file", "-t", named.out.strip())
        if kind.code:
            raise _unknown(repository, ref, kind)
        raise UsageError(
            f"{printable(ref)!r} names a {kind.out.strip()}, not a commit; give a branch, a tag or a commit"
        )
    return Revision(commit.out.strip(), named.why.removeprefix("warning: "))


def head(repository: Repository) -> str:
    """The commit that is checked out; empty before the first one."""
    found = git(repository.root, "rev-parse", "--verify", "HEAD^{commit}")
    return "" if found.code else found.out.strip()


def names_ref(repository: Repository, name: str) -> str:
    """The full name of the branch or tag called ``name``; empty when there is none."""
    for kind in ("heads", "tags"):
        full = f"refs/{kind}/{name}"
        if git(repository.root, "show-ref", "--verify", "--quiet", full).code == 0:
            return full
    return ""


def changes(repository: Repository) -> tuple[str, ...]:
    """Files of the working tree that differ from the commit checked out: changed ones, and new ones of Python.

    Raises UsageError when git refuses.
    """
    told = git(
        repository.root,
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignore-submodules",
    )
    if told.code:
        raise UsageError(f"{repository.root}: git cannot tell what was changed: {told.why}")
    entries = [(entry[:2], entry[3:]) for entry in told.out.split("\0") if entry]
    # A new file counts only where it can be imported: notes and results beside the sources change no kernel.
    return tuple(path for state, path in entries if state != "??" or path.endswith(".py"))


def _unknown(repository: Repository, ref: str, said: Answer) -> UsageError:
    text = f"{printable(ref)!r} is no kernel file (.py), no folder, no Python and no git ref of {repository.root}"
    if said.why and not any(words in said.why for words in _SAYS_NOTHING):
        text += f" (git: {said.why})"
    near = _nearest(repository, ref)
    text += f"; nearest refs: {', '.join(near)}" if near else "; `git branch --all` and `git tag` list the refs"
    if repository.is_shallow:
        text += (
            "; this clone is shallow and may lack it: `git fetch --unshallow --tags`, or in GitHub Actions"
            " `fetch-depth: 0` of actions/checkout"
        )
    return UsageError(text)


def _nearest(repository: Repository, ref: str) -> list[str]:
    """Up to three refs that may have been meant, those that end in the very name ("origin/main") first."""
    listed = git(
        repository.root,
        "for-each-ref",
        f"--count={MAX_REFS}",
        "--sort=-creatordate",
        "--format=%(refname:short)",
        "refs/heads",
        "refs/tags",
        "refs/remotes",
    )
    names = [*listed.out.split("\n"), "HEAD"] if listed.code == 0 else ["HEAD"]
    same = [name for name in names if name.endswith(f"/{ref}")]
    found = dict.fromkeys([*same, *difflib.get_close_matches(ref, names, n=3)])
    return [printable(name) for name in found][:3]
