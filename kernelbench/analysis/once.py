"""Ceilings that are asked the same questions for thousands of cases, and give each answer once."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from kernelbench.model import Ceiling

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Ceilings(tuple[Ceiling, ...]):
    """Ceilings that keep what functions marked with ``asked_once`` have found out about them."""

    def __init__(self, ceilings: Iterable[Ceiling] = ()) -> None:
        self.known: dict[tuple[object, ...], Any] = {}


def asked_once(
    function: Callable[Concatenate[Iterable[Ceiling], P], Answer],
) -> Callable[Concatenate[Iterable[Ceiling], P], Answer]:
    """``function`` of some ceilings and of hashable arguments: of ``Ceilings`` worked out once, of others each time.

    The answer is shared by all who ask: nobody may change it.
    """

    @wraps(function)
    def answer(ceilings: Iterable[Ceiling], /, *args: P.args, **more: P.kwargs) -> Answer:
        if not isinstance(ceilings, Ceilings):
            return function(ceilings, *args, **more)
        key = (function, args, *more.items())
        if key not in ceilings.known:
            ceilings.known[key] = function(ceilings, *args, **more)
        found: Answer = ceilings.known[key]
        return found

    return answer
