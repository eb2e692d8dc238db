"""Values of op parameters (``causal``, ``sparsity``, ``group``): as a user writes them, and what a variant gets."""

import re
from collections.abc import Iterable, Mapping
from itertools import product

from kernelbench.config_check import did_you_mean
from kernelbench.errors import UsageError
from kernelbench.model import Param, ParamValues, VariantInfo

ACCEPTED = "NAME=VALUE or NAME=VALUE,VALUE (sparsity=0.5,0.9)"

_WORD = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,2})?")


def parse(given: Iterable[str]) -> dict[str, ParamValues]:
    """Read ``NAME=VALUE,VALUE`` texts; a name given twice has the values of both.

    Raises UsageError naming the text and what is accepted.
    """
    found: dict[str, ParamValues] = {}
    for text in given:
        name, equals, values = (part.strip() for part in text.partition("="))
        words = [word.strip() for word in values.split(",")]
        if not equals or not name.isidentifier() or not all(words):
            raise UsageError(f"param {_short(text)}: write {ACCEPTED}")
        found[name] = tuple(dict.fromkeys((*found.get(name, ()), *(_value(word, text) for word in words))))
    return found


def combinations(variant: VariantInfo, *choices: Mapping[str, ParamValues]) -> tuple[dict[str, Param], ...]:
    """Every combination of values of the variant's parameters, in its order; one empty one without parameters.

    The last of ``choices`` that names a parameter gives its values, else the variant's own do; names that the
    variant lacks are other variants' business. Raises UsageError for a value of another kind than the
    parameter's.
    """
    given = {name: values for choice in choices for name, values in choice.items()}
    values = [
        tuple(dict.fromkeys(_alike(variant, name, value, defaults) for value in given.get(name, defaults)))
        for name, defaults in variant.params.items()
    ]
    return tuple(dict(zip(variant.params, chosen, strict=True)) for chosen in product(*values))


def check_names(names: Iterable[str], variants: Iterable[VariantInfo], whose: str) -> None:
    """Raises UsageError for a parameter that none of ``variants`` (in words: ``whose``) has."""
    known = tuple(dict.fromkeys(name for variant in variants for name in variant.params))
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) if known else "they have none"
            raise UsageError(f"{whose} has a parameter {name!r}; {hint}")


def order(params: Mapping[str, Param]) -> tuple[tuple[str, bool, Param], ...]:
    """A key that sorts numbers as numbers, and bears words beside them."""
    return tuple((name, isinstance(value, str), value) for name, value in params.items())


def _value(word: str, text: str) -> Param:
    if _WHOLE.fullmatch(word):
        return int(word)
    if _DECIMAL.fullmatch(word):
        return float(word)
    if _WORD.fullmatch(word):
        return word
    raise UsageError(f"param {_short(text)}: {_short(word)} is neither a number nor a word; write {ACCEPTED}")


def _alike(variant: VariantInfo, name: str, value: Param, defaults: ParamValues) -> Param:
    """``value`` as the kind of number its defaults are, so that 1 and 1.0 are one case."""
    if any(isinstance(default, str) for default in defaults):
        return str(value)
    if all(isinstance(default, int) for default in defaults):
        if isinstance(value, int):
            return value
        kind = "a whole number"
    elif isinstance(value, int | float):
        return float(value)
    else:
        kind = "a number"
    raise UsageError(
        f"param {name}={value}: {variant.name} takes {kind} there; by default {', '.join(map(str, defaults))}"
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
