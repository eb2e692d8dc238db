"""What is wrong with rules: values that cannot be, and globs that can match nothing."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from kernelbench.config_check import ISA_NAMES, Problem, did_you_mean
from kernelbench.errors import ResultFileError, UsageError
from kernelbench.expect.rules import BOUNDS, Other, Rule
from kernelbench.expect.where import conditions, known_names
from kernelbench.model import CACHE_STATES, DTYPE_BYTES, Case

_LIMITS = {
    "by": (1e-9, 1e9),
    # A share: 70 is a slip for 0.7, and more than 1 is what no code can reach.
    "min_roof_fraction": (0.0, 1.0),
    "max_seconds": (1e-12, 86_400.0),
    "max_error": (0.0, 1e300),
    "min_snr_db": (-400.0, 400.0),
}
"""Least and most of each number, in its own unit; against slips of the keyboard, infinity and NaN."""


def problems(rules: Iterable[Rule]) -> Iterator[Problem]:
    """What a type cannot say is wrong with each rule."""
    for index, rule in enumerate(rules):
        place = f"expect[{index}]"
        yield from _bound_problems(rule, place)
        yield from _selection_problems(rule, place)
        if isinstance(rule.faster_than, Other):
            yield from _selection_problems(rule.faster_than, f"{place}.faster_than")
        try:
            conditions(rule.where)
        except UsageError as error:
            yield Problem(f"{place}.where", str(error))


def unplanned(rules: Iterable[Rule], cases: Iterable[Case]) -> Problem | UnsetType:
    """The first rule that can be about none of ``cases`` on any machine: a slip of the keyboard; absent if none is.

    ``cases`` are all that a configuration asks for, skipped ones included. Threads are left aside, for how many
    there are depends on the machine.
    """
    planned = tuple(cases)
    found = (_unplanned(rule, f"expect[{index}]", planned) for index, rule in enumerate(rules))
    return next((problem for problem in found if not isinstance(problem, UnsetType)), UNSET)


def stored(config: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules in a result's configuration; none in one of before there were any.

    Raises ResultFileError when they cannot be read.
    """
    try:
        rules = msgspec.convert(config.get("expect", ()), tuple[Rule, ...])
        faults = [str(problem) for problem in problems(rules)]
    except msgspec.ValidationError as error:
        faults = [str(error).replace("`", "")]
    if faults:
        raise ResultFileError(f"the expectations in the result are damaged or of a newer kernelbench: {faults[0]}")
    return rules


def _bound_problems(rule: Rule, place: str) -> Iterator[Problem]:
    given = [key for key in BOUNDS if not isinstance(getattr(rule, key), UnsetType)]
    if not given:
        yield Problem(place, f"no bound given; accepted: one of {', '.join(BOUNDS)}")
    for key in given[1:]:
        yield Problem(f"{place}.{key}", f"{given[0]} is given as well; one bound a rule: write another [[expect]]")
    if not isinstance(rule.by, UnsetType) and isinstance(rule.faster_than, UnsetType):
        yield Problem(f"{place}.by", "given without faster_than; name what the case must be faster than")
    if rule.faster_than in ("", Other()):
        accepted = 'a glob such as "matmul/naive", or { threads = 1 }, { kernel = "matmul/tiled", dtype = "f32" }'
        yield Problem(f"{place}.faster_than", f"nothing is named; accepted: {accepted}")
    for key, (least, most) in _LIMITS.items():
        value = getattr(rule, key)
        # Written so that NaN, for which every comparison is false, is refused too.
        if not isinstance(value, UnsetType) and not least <= value <= most:
            yield Problem(f"{place}.{key}", f"{value:g} given; accepted: from {least:g} to {most:g}")


def _selection_problems(chosen: Rule | Other, place: str) -> Iterator[Problem]:
    for key, accepted in (("dtype", tuple(DTYPE_BYTES)), ("isa", ISA_NAMES), ("cache", CACHE_STATES)):
        word = getattr(chosen, key)
        if not isinstance(word, UnsetType) and word not in accepted:
            yield Problem(f"{place}.{key}", f"{word!r} given; {did_you_mean(word, accepted)}")
    if not isinstance(chosen.threads, UnsetType) and chosen.threads < 1:
        yield Problem(f"{place}.threads", f"{chosen.threads} given; accepted: a number from 1")


def _unplanned(rule: Rule, place: str, cases: tuple[Case, ...]) -> Problem | UnsetType:
    variants = dict.fromkeys(case.variant for case in cases)
    for key, glob in (("kernel", rule.kernel), ("faster_than", rule.other.kernel)):
        if not isinstance(glob, UnsetType) and not any(fnmatchcase(name, glob) for name in variants):
            return Problem(f"{place}.{key}", f"no kernel of this plan matches {glob!r}; {did_you_mean(glob, variants)}")
    head = _head(rule.case)
    own = [case for case in cases if case.id.startswith(head) and fnmatchcase(case.variant, rule.kernel)]
    if not own:
        ids = [case.id for case in cases if fnmatchcase(case.variant, rule.kernel)]
        return Problem(f"{place}.case", f"no case of this plan matches {rule.case!r}; {did_you_mean(rule.case, ids)}")
    names = dict.fromkeys(name for case in own for name in known_names(case))
    for condition in conditions(rule.where):
        if condition.name not in names:
            hint = did_you_mean(condition.name, names)
            return Problem(f"{place}.where", f"no case of this rule has {condition.name!r}; {hint}")
    return UNSET


def _head(glob: str) -> str:
    """As much of a glob on ids as stands before the first wildcard and before the threads."""
    head = glob.partition("/t=")[0]
    return head[: min((head.index(sign) for sign in "*?[" if sign in head), default=len(head))]
