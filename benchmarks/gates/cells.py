"""The cells of an experiment: what the configuration asks for here, and which of them live in a cache."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import UNSET, Struct

from kernelbench.config import Config, Flags, load, override
from kernelbench.kernels import _registry as registry
from kernelbench.machine import detect, placement
from kernelbench.model import Case
from kernelbench.plan import expand
from kernelbench.runner.host import last_level


class Cell(Struct, frozen=True):
    """One case of the experiment."""

    case: Case
    module: str
    """Where its kernel is declared: what a process needs to import."""
    cached: bool
    """True when all its operands fit into the last-level cache."""


class Experiment(Struct, frozen=True):
    """What every gate is tried on."""

    config: Config
    config_path: Path
    cells: tuple[Cell, ...]
    cpu: int
    """Where kernels of one thread are timed."""
    globs: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Case ids, in the plan's order."""
        return tuple(cell.case.id for cell in self.cells)

    @property
    def cached(self) -> tuple[str, ...]:
        """Ids of the cells that live in a cache."""
        return tuple(cell.case.id for cell in self.cells if cell.cached)

    def matching(self, glob: str) -> tuple[str, ...]:
        """Ids of the cached cells that ``glob`` names."""
        return tuple(name for name in self.cached if fnmatchcase(name, glob))


def experiment(config_path: Path, globs: Sequence[str] = ()) -> Experiment:
    """The cells of a configuration of catalogue kernels that ``globs`` name (all without any).

    Raises UsageError where that is none, or the configuration cannot be read.
    """
    registry.load_catalogue()
    machine = detect()
    config = override(load(config_path), Flags(cases=tuple(globs) or UNSET))
    variants = registry.variants()
    plan = expand(
        config,
        tuple(op.info for op in registry.ops().values()),
        tuple(variant.info for variant in variants.values()),
        usable_threads=machine.limits.usable_threads,
        isa_levels=machine.cpu.isa_levels,
    )
    limit = last_level(machine)
    cells = []
    for case in plan.cases:
        variant = variants[case.variant]
        size = variant.work(variant.whole(case.settings), case.dtype).working_set_bytes
        module = variant.function.__module__
        cells.append(Cell(case, module, size is not UNSET and size <= limit))
    return Experiment(config, config_path, tuple(cells), placement(machine, 1)[0], tuple(globs))
