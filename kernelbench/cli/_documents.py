"""Where the documents of a report go: checked before anything is made, written whole."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from kernelbench.errors import UsageError

STDOUT = "-"

SUFFIXES = {
    "html": (".html", ".htm"),
    "svg": (".svg",),
    "png": (".png",),
    "csv": (".csv",),
    "md": (".md", ".markdown"),
    "json": (".json",),
}
"""How files of each format are named."""

_PICTURES = ("svg", "png")
"""What shows a picture goes by its name alone."""


def check(wanted: Mapping[str, str], sources: Sequence[Path]) -> None:
    """Refuse what would destroy a result, mix documents or mislead who opens them. Raises UsageError."""
    printed = [kind for kind, target in wanted.items() if target == STDOUT]
    if "html" in printed:
        raise UsageError("--html - is not possible: a page of 1 MB is not for a terminal; give it a path")
    if "png" in printed:
        raise UsageError("--png - is not possible: a PNG is not text; give it a path, or use --svg -")
    if len(printed) > 1:
        raise UsageError(f"only one document can go to stdout, not {' and '.join(printed)}; give the others a path")
    files = {kind: target for kind, target in wanted.items() if target != STDOUT}
    for kind, target in files.items():
        _check_place(kind, target, sources)
        _check_suffix(kind, target)
    _check_apart(files)


def write(document: str | bytes, target: str) -> None:
    """Print to stdout, or write the file and say so on stderr. Raises StoreError when the disk refuses."""
    if target == STDOUT:
        click.echo(document, nl=False)
        return
    from kernelbench.store.atomic import write_atomic

    write_atomic(Path(target), document if isinstance(document, bytes) else document.encode())
    click.echo(f"wrote {target}", err=True)


def picture_for(wanted: Mapping[str, str]) -> str:
    """The address of the picture as the Markdown file beside it sees it; empty unless both are written to files."""
    import os

    document, picture = wanted.get("md", STDOUT), wanted.get("svg", wanted.get("png", STDOUT))
    if STDOUT in (document, picture):
        return ""
    return Path(os.path.relpath(Path(picture).absolute(), Path(document).absolute().parent)).as_posix()


def _check_place(kind: str, target: str, sources: Sequence[Path]) -> None:
    path = Path(target)
    if path.suffix == ".json" or path.absolute() in [source.absolute() for source in sources]:
        raise UsageError(
            f"--{kind} {target} would write over a result file; to show it: `kernelbench report {target} --{kind} PATH`"
        )
    if path.is_dir():
        raise UsageError(f"--{kind} {target} is a folder; give a file in it")


def _check_suffix(kind: str, target: str) -> None:
    suffix = Path(target).suffix.lower()
    own = " or ".join(SUFFIXES[kind])
    other = next((name for name, suffixes in SUFFIXES.items() if suffix in suffixes and name != kind), "")
    if other:
        raise UsageError(f"--{kind} {target}: {suffix} is for --{other}; name it {own}, or use --{other}")
    if kind in _PICTURES and suffix not in SUFFIXES[kind] and not Path(target).is_char_device():
        raise UsageError(f"--{kind} {target}: a picture's name ends in its format; name it {own}")


def _check_apart(files: Mapping[str, str]) -> None:
    met: dict[Path, str] = {}
    for kind, target in files.items():
        path = Path(target).resolve()
        if path in met and not path.is_char_device():
            raise UsageError(f"--{met[path]} and --{kind} both write {target}; give each its own path")
        met[path] = kind
