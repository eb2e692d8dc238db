"""Foreign text in GitHub-flavoured Markdown: it shows as it is, and nothing in it is live."""

import re
from collections.abc import Sequence

from kernelbench.report.text import safe_text

_BREAK = "&#8203;"
"""A zero-width space. GitHub looks for mentions, references, links and emoji in the text that is left when escapes and
entities are undone, so that only another character between the parts helps; Renovate and Dependabot do the same."""

_LIVE = re.compile(
    r"(?P<mention>@)(?=\w)"
    r"|(?P<number>\\#)(?=\d)"
    r"|(?P<issue>\bGH-)(?=\d)"
    r"|(?P<scheme>\b(?:https?|ftp|mailto|xmpp):)"
    r"|(?P<host>\bwww)(?=\.)"
    r"|(?P<emoji>:)(?=\d*[a-z_+-][\w+-]*:)",
    re.IGNORECASE,
)


def code(text: str) -> str:
    """Foreign text as a code span, in which nothing is a tag, a link or a mention, and a bar ends no table cell."""
    safe = safe_text(text).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", safe)), default=0))
    pad = " " if safe[:1] in ("`", " ", "") or safe[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: no tag, link, mention, reference, emphasis, list or cell border of its own."""
    marked = re.sub(r"([\\`*_{}\[\]<>|#~!$])", r"\\\1", text.strip().replace("&", "&amp;"))
    # At the start of a line these would begin a list or underline a heading.
    marked = re.sub(r"^([-+=])|^(\d+)(?=[.)](?:\s|$))", _kept_text, marked)
    return _LIVE.sub(lambda match: match[0] + _BREAK, marked)


def _kept_text(start: re.Match[str]) -> str:
    return f"\\{start[1]}" if start[1] else f"{start[2]}\\"


def table(headers: Sequence[str], body: Sequence[Sequence[str]], *, right: Sequence[bool] = ()) -> str:
    """A table of cells that are Markdown already. Not padded: a comment on GitHub holds 65536 characters.

    ``right``: which columns are aligned right; without it none.
    """
    rule = ["--:" if flag else ":--" for flag in right] or [":--"] * len(headers)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headers, rule, *body))


def folded(summary: str, content: str) -> str:
    """``content`` (Markdown) behind a line that opens it."""
    return f"<details><summary>{escaped(summary)}</summary>\n\n{content}\n\n</details>"
