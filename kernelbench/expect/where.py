"""The conditions of a rule: ``n >= 512, causal = 1``. Comparisons joined by commas, nothing else."""

import functools
import operator
import re
from collections.abc import Callable

from msgspec import Struct

from kernelbench.errors import UsageError
from kernelbench.model import Case, Param

ACCEPTED = 'comparisons joined by commas, such as "n >= 512" or "m = 1, sparsity > 0.5" (>=, <=, >, <, =, !=)'

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}

_CONDITION = re.compile(r"\s*([A-Za-z_]\w*)\s*(>=|<=|!=|==|=|>|<)\s*(\S+)\s*", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,24})?|\.[0-9]{1,24})([eE][+-]?[0-9]{1,2})?")
_WORD = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


class Condition(Struct, frozen=True):
    """One comparison of a setting of a case with a value."""

    name: str
    """A dimension or a parameter of the op; "n" where all dimensions are equal, as in case ids; "t" or "threads"."""
    sign: str
    value: Param

    def holds(self, case: Case) -> bool:
        """True when the case has the setting and it compares so. A word and a number are unequal, and in no order."""
        settings = _settings(case)
        if self.name not in settings:
            return False
        own = settings[self.name]
        if isinstance(own, str) or isinstance(self.value, str):
            return self.sign in ("=", "==", "!=") and (own == self.value) == (self.sign != "!=")
        return _COMPARE[self.sign](own, self.value)


@functools.cache
def conditions(text: str) -> tuple[Condition, ...]:
    """The comparisons in ``text``, all of which must hold; none in an empty one.

    Raises UsageError naming the part that cannot be read and what is accepted.
    """
    if not text.strip():
        return ()
    return tuple(_condition(part) for part in text.split(","))


def known_names(case: Case) -> tuple[str, ...]:
    """The names that a condition on this case may use."""
    return tuple(_settings(case))


def _settings(case: Case) -> dict[str, Param]:
    sizes = set(case.shape.values())
    # An id says n=512 where all dimensions are 512, whatever they are called.
    equal: dict[str, Param] = {"n": min(sizes)} if len(sizes) == 1 else {}
    return {**equal, "t": case.threads, "threads": case.threads, **case.settings}


def _condition(part: str) -> Condition:
    found = _CONDITION.fullmatch(part)
    if not found:
        raise UsageError(f"{_short(part.strip())} is no condition; accepted: {ACCEPTED}")
    name, sign, word = found.groups()
    value = _value(word)
    if isinstance(value, str) and (not _WORD.fullmatch(word) or sign not in ("=", "==", "!=")):
        raise UsageError(f"{_short(part.strip())}: {_short(word)} is not a number; accepted: {ACCEPTED}")
    return Condition(name, sign, value)


def _value(word: str) -> Param:
    if _WHOLE.fullmatch(word):
        return int(word)
    return float(word) if _DECIMAL.fullmatch(word) else word


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
