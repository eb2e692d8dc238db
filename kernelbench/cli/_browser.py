"""Showing a page in the user's browser."""

import os
import sys
from pathlib import Path

from kernelbench.errors import UsageError

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""What names a display or a browser on a system where neither is certain."""


def open_page(page: Path) -> None:
    """Open ``page``. Raises UsageError, which says where the page is, where there is no display or no browser."""
    import webbrowser

    there = f"the page itself was written: {page}"
    # Without a display a text browser would take over the terminal.
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _DISPLAYS):
        raise UsageError(f"--open: no display to open a browser on (none of {', '.join(_DISPLAYS)} is set); {there}")
    try:
        opened = webbrowser.open(page.resolve().as_uri())
    except webbrowser.Error as error:
        raise UsageError(f"--open: no browser could be started ({error}); {there}") from error
    if not opened:
        raise UsageError(f"--open: no browser was found; {there}")
