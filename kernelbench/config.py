"""What to measure and how hard: the configuration as data, read from TOML, overridden by flags.

``load`` answers a mistake with one line: file and line, key, what was given, what is accepted.
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from kernelbench import config_check, params, sizes
from kernelbench.config_check import Problem
from kernelbench.errors import ConfigError, UsageError
from kernelbench.expect import Other, Rule, problems
from kernelbench.model import ParamValues
from kernelbench.protocol import Effort

RIGOROUS_ROUNDS = 10
"""Power of the sign test at +5% against a 3% threshold and 1% scatter: 79% at 10 rounds (Monte Carlo)."""

QUICK_ROUNDS = 3
"""Too few for an interval (that takes 6): enough to look, not to judge."""


class Matrix(Struct, frozen=True, forbid_unknown_fields=True):
    """One block of cases: every selected variant at every dtype, size, thread count, isa and cache state."""

    kernels: tuple[str, ...] = ("*",)
    """Globs on variant names ("matmul/*"); none: those of ``extra_modules`` alone."""
    dtypes: tuple[str, ...] = ()
    """Empty: every dtype the variant has. A variant without one of these simply lacks that case."""
    sizes: tuple[int | str, ...] = ()
    """As ``sizes.ACCEPTED`` says; empty: each op's own default sizes."""
    params: dict[str, ParamValues] = {}
    """Values of parameters ({"sparsity": [0.5, 0.9]}); kernels without the parameter are measured as ever."""
    threads: tuple[int | str, ...] = (1, "all")
    """Counts, or "all" for every usable thread. Variants that are not parallel run at one thread only."""
    isa: tuple[str, ...] = ("native",)
    """"native" or names from ``model.ISA_LEVELS``."""
    cache: tuple[str, ...] = ("warm",)
    """From ``model.CACHE_STATES``."""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides what a run does."""

    seed: int = 0
    """Seeds operands and the order of measuring."""
    rounds: int = 6
    """Process rounds per case; an interval needs at least 6."""
    effort: Effort = Effort()
    """How long to sample one case in one round."""
    python_cap_s: float = 0.25
    """Interpreted variants whose estimated call takes longer are skipped."""
    case_timeout_s: float = 60.0
    """A case that does not answer within this has failed (it hangs)."""
    time_budget_s: float = 600.0
    """For the whole run; when spent, the remaining rounds are dropped, what is done stays."""
    worker_memory_bytes: int = 0
    """Most memory a worker may take; 0: chosen from the free memory."""
    ceilings: bool = True
    """Measure the machine's ceilings in every round."""
    modules: tuple[str, ...] = ()
    """User kernel files; in TOML under [kernels] and relative to the config file, absolute once loaded."""
    extra_modules: tuple[str, ...] = ()
    """Those of ``modules`` whose kernels are measured even where no matrix names them (given by --module)."""
    kernels: tuple[str, ...] = ()
    """Globs on variant names that narrow every matrix; what they name beyond the matrices is added."""
    cases: tuple[str, ...] = ()
    """Globs on case ids that narrow the plan; empty: all."""
    params: dict[str, ParamValues] = {}
    """Values of parameters that win over those of every matrix (given by --param)."""
    matrix: tuple[Matrix, ...] = (Matrix(),)
    """The blocks, united; a case in two blocks is one case."""
    expect: tuple[Rule, ...] = ()
    """What the run must show."""


class Flags(Struct, frozen=True):
    """Selection flags as typed; an absent flag is UNSET (an empty tuple counts as absent).

    List flags hold one string per use of the flag, each of which may join several values with commas.
    """

    kernels: tuple[str, ...] | UnsetType = UNSET
    cases: tuple[str, ...] | UnsetType = UNSET
    dtypes: tuple[str, ...] | UnsetType = UNSET
    sizes: tuple[str, ...] | UnsetType = UNSET
    params: tuple[str, ...] | UnsetType = UNSET
    """As ``params.ACCEPTED`` says; one string per parameter."""
    threads: tuple[str, ...] | UnsetType = UNSET
    isa: tuple[str, ...] | UnsetType = UNSET
    cache: tuple[str, ...] | UnsetType = UNSET
    quick: bool = False
    """3 rounds and shorter effort."""
    rigorous: bool = False
    """At least 10 rounds and longer effort."""
    rounds: int | UnsetType = UNSET
    """Wins over ``quick`` and ``rigorous``."""
    time_budget_s: float | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    modules: tuple[str, ...] | UnsetType = UNSET
    """Relative to the current folder; added to those of the config."""
    only_modules: bool = False
    """Measure the kernels of ``modules``, and of the configuration's own matrices none."""
    ceilings: bool | UnsetType = UNSET


def load(path: Path) -> Config:
    """Read a TOML file. Raises ConfigError for every mistake, a missing file included."""
    try:
        text = path.read_bytes().decode()
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start}); a configuration is a TOML file") from error
    except ValueError as error:
        # Besides its own TOMLDecodeError the parser lets through Python's refusal of numbers beyond 4300 digits.
        raise ConfigError(f"{path}: {config_check.quoting_line(text, str(error))}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply; a configuration has no more than three levels") from error
    problem = config_check.kernels_problem(data)
    if problem:
        raise config_check.located(path, text, problem)
    config, problem = _convert({**data.pop("kernels", {}), **data}, path.parent)
    if problem:
        if problem.key.startswith("modules"):
            problem = msgspec.structs.replace(problem, key=f"kernels.{problem.key}")
        raise config_check.located(path, text, problem)
    return config


def from_dict(data: dict[str, Any]) -> Config:
    """The inverse of ``as_dict`` (a journal's configuration). Raises ConfigError naming the key."""
    config, problem = _convert(data, Path())
    if problem:
        raise ConfigError(f"stored configuration: {problem}")
    return config


def as_dict(config: Config) -> dict[str, Any]:
    """``config`` as JSON-ready data, every field present, for journals and results."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(config))
    return plain


def override(config: Config, flags: Flags) -> Config:
    """``config`` with every given flag in its place. Raises UsageError naming the value and what is accepted."""
    if flags.quick and flags.rigorous:
        raise UsageError("--quick and --rigorous exclude each other: give one of them")
    changes = {
        name: value
        for name in ("rounds", "time_budget_s", "seed", "ceilings")
        if (value := getattr(flags, name)) is not UNSET
    }
    if flags.kernels:
        changes["kernels"] = _split(flags.kernels)
    if flags.cases:
        # Not split: an id holds commas itself ("m=1,n=4096").
        changes["cases"] = flags.cases
    if flags.params:
        changes["params"] = {**config.params, **params.parse(flags.params)}
    if flags.modules:
        given = tuple(os.path.abspath(module) for module in flags.modules)
        changes["modules"] = tuple(dict.fromkeys((*config.modules, *given)))
        changes["extra_modules"] = tuple(dict.fromkeys((*config.extra_modules, *given)))
    wanted = _at_pace(config, flags)
    blocks = tuple(_matrix(block, flags) for block in config.matrix)
    changes["matrix"] = tuple(
        msgspec.structs.replace(block, kernels=()) if flags.only_modules else block for block in blocks
    )
    wanted = msgspec.structs.replace(wanted, **changes)
    problem = config_check.first_problem(wanted)
    if problem:
        raise UsageError(f"{_as_flag(problem.key)}: {problem.text}")
    return wanted


def _convert(data: dict[str, Any], folder: Path) -> tuple[Config, Problem | UnsetType]:
    tables: dict[str, type[Struct]] = {"": Config, "effort": Effort, "matrix": Matrix, "expect": Rule}
    problem = config_check.unknown_key(data, {**tables, "expect.faster_than": Other})
    if problem:
        return Config(), problem
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        return Config(), config_check.wrong_type(data, str(error))
    absolute = {
        name: tuple(os.path.abspath(folder / module) for module in getattr(config, name))
        for name in ("modules", "extra_modules")
    }
    config = msgspec.structs.replace(config, **absolute)
    return config, config_check.first_problem(config) or next(problems(config.expect), UNSET)


def _at_pace(config: Config, flags: Flags) -> Config:
    """``config`` with the rounds and the effort that --quick or --rigorous ask for, never the opposite way."""
    effort = config.effort
    if flags.quick:
        shorter = msgspec.structs.replace(
            effort,
            samples=min(effort.samples, 6),
            round_s=min(effort.round_s, 0.05),
            warmup_s=min(effort.warmup_s, 0.1),
        )
        return msgspec.structs.replace(config, rounds=QUICK_ROUNDS, effort=shorter)
    if flags.rigorous:
        longer = msgspec.structs.replace(
            effort,
            samples=max(effort.samples, 24),
            round_s=max(effort.round_s, 0.3),
            warmup_s=max(effort.warmup_s, 0.5),
        )
        return msgspec.structs.replace(config, rounds=max(config.rounds, RIGOROUS_ROUNDS), effort=longer)
    return config


def _matrix(block: Matrix, flags: Flags) -> Matrix:
    changes: dict[str, Any] = {}
    for name in ("dtypes", "isa", "cache"):
        given: tuple[str, ...] | UnsetType = getattr(flags, name)
        if given:
            changes[name] = _split(given)
    if flags.threads:
        words = _split(flags.threads)
        changes["threads"] = tuple(int(word) if re.fullmatch("-?[0-9]{1,9}", word) else word for word in words)
    if flags.sizes:
        changes["sizes"] = sizes.override(block.sizes, flags.sizes)
    return msgspec.structs.replace(block, **changes)


def _as_flag(key: str) -> str:
    """How the user typed what became ``key``; keys without a flag stay as they are."""
    name = re.sub(r"\[\d+\]", "", key).removeprefix("matrix.")
    renamed = {"kernels": "kernel", "cases": "case", "dtypes": "dtype", "modules": "module", "params": "param"}
    renamed["time_budget_s"] = "time-budget"
    has_flag = name in Flags.__struct_fields__
    return f"--{renamed.get(name, name)}" if has_flag else key


def _split(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.strip() for value in values for word in value.split(","))
