"""How a case fails: with a stage and one line."""

from __future__ import annotations


class CaseError(Exception):
    """A case failed; the worker lives on."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.message = message


MESSAGE_CHARS = 500


def one_line(error: BaseException) -> str:
    """An exception for the user: "ValueError: text". Shortened, and fit for a UTF-8 file whatever it holds."""
    whole = " ".join(str(error).split())
    text = whole[:MESSAGE_CHARS].encode(errors="replace").decode() + "..." * (len(whole) > MESSAGE_CHARS)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
