"""Untrusted text made safe to show. Names in a result file may come from anywhere."""

import unicodedata

#: Format characters that reorder, hide or join what is around them. Marks that only join letters of
#: real scripts are not needed in a kernel's name, so the whole category is shown as its code.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_text(text: str) -> str:
    """``text`` with every control, escape, bidirectional, invisible or lone-surrogate character spelled out.

    A terminal escape becomes ``\\x1b``, a right-to-left override ``\\u202e``; line breaks become ``\\n``.
    """
    return "".join(_spelled(c) if unicodedata.category(c) in _HIDDEN else c for c in text)


def clip(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters, its middle replaced by "…" when longer."""
    if len(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    head = (width - 1 + 1) // 2
    tail = width - 1 - head
    return text[:head] + "…" + (text[-tail:] if tail else "")


def _spelled(character: str) -> str:
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character) or ascii(character)[1:-1]
