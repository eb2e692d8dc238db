"""A page taken apart."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Every tag with its attributes, the text that is shown, and the text of every script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.scripts += [""] if tag == "script" else []

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.tags[-1][0] == "script":
            self.scripts[-1] += data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def policy(page: str) -> str:
    """Its Content-Security-Policy."""
    (meta,) = [a for tag, a in Page(page).tags if a.get("http-equiv") == "Content-Security-Policy"]
    return meta["content"]
