"""What is wrong with a configuration, and where: unknown keys, wrong types, values out of range.

Knows no struct of ``config``: it reads their fields, so that a new key needs no second entry here.
"""

import difflib
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from kernelbench import sizes
from kernelbench.errors import ConfigError, UsageError
from kernelbench.model import CACHE_STATES, DTYPE_BYTES, ISA_LEVELS

#: key -> (least, most). The most is there against slips of the keyboard and infinity.
LIMITS: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "rounds": (1, 1000),
    "python_cap_s": (0, 86_400),
    "case_timeout_s": (0.1, 86_400),
    "time_budget_s": (1, 864_000),
    "worker_memory_bytes": (0, 2**50),
    # A shorter sample drowns in the timer's resolution and in the interrupts of the system.
    "effort.sample_s": (0.001, 60),
    "effort.samples": (3, 100_000),
    "effort.round_s": (0.001, 3600),
    "effort.warmup_s": (0, 600),
}

ISA_NAMES = ("native", *dict.fromkeys(level for levels in ISA_LEVELS.values() for level in levels))


class Problem(Struct, frozen=True):
    """One mistake."""

    key: str
    """Path of the key ("matrix[0].threads[1]")."""
    text: str
    """What was given and what is accepted."""

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


def did_you_mean(word: str, accepted: Iterable[str]) -> str:
    """A hint for the user: the nearest accepted words, or all of them when none is near."""
    choices = list(accepted)
    close = difflib.get_close_matches(word, choices, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"accepted: {', '.join(choices[:40])}{' ...' if len(choices) > 40 else ''}"


def unknown_key(data: Mapping[str, Any], structs: Mapping[str, type[Struct]]) -> Problem | UnsetType:
    """The first key that no struct has.

    ``structs``: table name -> its struct, "" for the top level, "expect.faster_than" for a table in a table.
    """
    for table, name, place in _keys(data, structs):
        fields = structs[table].__struct_fields__
        if name not in fields:
            return Problem(place, f"unknown key; {_whose_key(table, name, structs)}")
    return UNSET


def kernels_problem(data: Mapping[str, Any]) -> Problem | UnsetType:
    """What is wrong with how a file names kernels of the user's own: [kernels] modules = ["mine.py"]."""
    if "modules" in data:
        return Problem("modules", 'belongs below [kernels]: write [kernels], then modules = ["mine.py"]')
    table = data.get("kernels", {})
    if not isinstance(table, dict):
        return Problem("kernels", "is a table, [kernels]; which kernels are measured is said by kernels of [[matrix]]")
    unknown = [name for name in table if name != "modules"]
    if unknown:
        return Problem(f"kernels.{unknown[0]}", f"unknown key; {did_you_mean(unknown[0], ('modules',))}")
    return UNSET


def wrong_type(data: Mapping[str, Any], message: str) -> Problem:
    """A validation error of msgspec ("Expected `int`, got `str` - at `$.rounds`") with the value given."""
    text, _, path = message.partition(" - at ")
    # Keys of a table that is not ours to name (params) stand as [...] there: it is shown whole.
    key = path.strip("`").removeprefix("$").removeprefix(".").partition("[...]")[0]
    words = text.replace("`", "").replace("array", "list").replace("object", "table")
    return Problem(key, f"{_short(_value_at(data, key))}: {words[:1].lower()}{words[1:]}")


def first_problem(config: Any) -> Problem | UnsetType:
    """The first value of a well-typed Config that cannot be, or UNSET."""
    return next(_problems(config), UNSET)


def quoting_line(text: str, message: str) -> str:
    """A TOML syntax error, with the line it speaks of quoted."""
    at = re.search(r"at line (\d+)", message)
    lines = text.splitlines()
    if not at or not 1 <= int(at[1]) <= len(lines):
        return f"not valid TOML: {message}"
    return f"line {at[1]}: not valid TOML: {message}: {lines[int(at[1]) - 1].strip()!r}"


def located(path: Path, text: str, problem: Problem) -> ConfigError:
    """The error for a mistake in the file at ``path`` that holds ``text``, with its line where that is found."""
    line = line_of(text, problem.key)
    return ConfigError(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


def line_of(text: str, key: str) -> int:
    """Line (from 1) of ``key`` in the TOML ``text``; 0 where it is written in a form not searched for."""
    path = re.fullmatch(r"(?:([\w-]+)(?:\[(\d+)\])?\.)?([\w-]+)(?:\[(\d+)\])?(?:[\[.].*)?", key)
    if not path:
        return 0
    table, index, name, nth = path[1] or "", int(path[2] or 0), path[3], int(path[4] or 0)
    current, seen, tables = "", -1, 0
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[{1,2}\s*([\w-]+)\s*\]", line)
        if header:
            current = header[1]
            seen += current == table
            tables += current == name
            if not table and tables > nth:
                return number
        elif current == table and (not table or seen == index) and re.match(rf"\s*[\"']?{name}[\"']?\s*[=.]", line):
            return number
    return 0


def _keys(
    data: Mapping[str, Any], structs: Mapping[str, type[Struct]], table: str = "", place: str = ""
) -> Iterator[tuple[str, str, str]]:
    """(table, key, path) of every key in ``table`` and in the tables inside it."""
    for name, value in data.items():
        yield table, name, f"{place}{name}"
        inner = f"{table}.{name}" if table else name
        if not name or inner not in structs:
            continue
        blocks = (
            [(f"[{index}]", block) for index, block in enumerate(value)] if isinstance(value, list) else [("", value)]
        )
        for suffix, block in blocks:
            if isinstance(block, dict):
                yield from _keys(block, structs, inner, f"{place}{name}{suffix}.")


def _whose_key(table: str, name: str, structs: Mapping[str, type[Struct]]) -> str:
    """A hint: the key of this table that is meant, unless another table has exactly this one."""
    fields = structs[table].__struct_fields__
    # A slip of one letter is likelier than a key in the wrong table: "kernel" for "kernels" in [[matrix]].
    owners = [other for other, struct in structs.items() if other and name in struct.__struct_fields__]
    if not owners or table in owners or difflib.get_close_matches(name, fields, n=1, cutoff=0.85):
        return did_you_mean(name, fields)
    return f"it belongs in the table {owners[0]!r}"


def _value_at(data: Any, key: str) -> Any:
    for step in re.findall(r"[\w-]+", key):
        data = data[int(step)] if isinstance(data, list) else data[step]
    return data


def _problems(config: Any) -> Iterator[Problem]:
    for key, (least, most) in LIMITS.items():
        table, _, name = key.rpartition(".")
        value = getattr(getattr(config, table) if table else config, name)
        # Written so that NaN, for which every comparison is false, is refused too.
        if not least <= value <= most:
            yield Problem(key, f"{value} given; accepted: from {least:g} to {most:g}")
    for index, module in enumerate(config.modules):
        if not os.path.isfile(module):
            yield Problem(f"modules[{index}]", f"no such file: {module}; give the path of a Python file")
    yield from _param_problems(config.params, "params")
    if not config.matrix:
        yield Problem("matrix", "an empty list given; accepted: at least one [[matrix]] table, or none at all")
    for index, block in enumerate(config.matrix):
        if not block.kernels and not config.extra_modules:
            yield Problem(f"matrix[{index}].kernels", "an empty list given; name at least one, or leave the key out")
        yield from _block_problems(block, f"matrix[{index}]")


def _block_problems(block: Any, place: str) -> Iterator[Problem]:
    for name in ("threads", "isa", "cache"):
        if not getattr(block, name):
            yield Problem(f"{place}.{name}", "an empty list given; name at least one, or leave the key out")
    vocabularies = {"dtypes": tuple(DTYPE_BYTES), "isa": ISA_NAMES, "cache": CACHE_STATES}
    for name, accepted in vocabularies.items():
        for index, word in enumerate(getattr(block, name)):
            if word not in accepted:
                yield Problem(f"{place}.{name}[{index}]", f"{_short(word)} given; {did_you_mean(word, accepted)}")
    for index, count in enumerate(block.threads):
        if count != "all" and not (isinstance(count, int) and count >= 1):
            yield Problem(f"{place}.threads[{index}]", f'{_short(count)} given; accepted: a number from 1, or "all"')
    yield from _param_problems(block.params, f"{place}.params")
    for index, entry in enumerate(block.sizes):
        try:
            sizes.parse(entry)
        except UsageError as error:
            yield Problem(f"{place}.sizes[{index}]", str(error))


def _param_problems(params: Mapping[str, Iterable[Any]], place: str) -> Iterator[Problem]:
    for name, values in params.items():
        if not values:
            yield Problem(f"{place}.{name}", "an empty list given; name at least one value, or leave the key out")
        for value in values:
            if not math.isfinite(value) if isinstance(value, float) else not re.fullmatch(r"[\w-]+", str(value)):
                yield Problem(f"{place}.{name}", f"{_short(value)} given; accepted: numbers and words")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
