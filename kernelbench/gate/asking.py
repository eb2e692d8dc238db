"""What both sides of a comparison can run of what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import TypeVar

from msgspec import Struct, structs

from kernelbench.config import Config
from kernelbench.errors import UsageError, WorkerError
from kernelbench.gate.narrow import plans
from kernelbench.gate.sides import Side
from kernelbench.gate.start import starter
from kernelbench.model import Case, Machine, Work
from kernelbench.plan import Plan, admit
from kernelbench.protocol import CatalogueReply
from kernelbench.runner.host import last_level
from kernelbench.runner.library import Librarian, librarian

T = TypeVar("T")


class Known(Struct, frozen=True):
    """What one side can run of what is asked for."""

    works: dict[str, Work]
    """Work of one call, by case id, of the cases that can be run."""
    cases: dict[str, Case]
    skipped: dict[str, str]
    """Why not, by case id."""
    source_hash: str
    missing: str = ""
    """Why nothing asked for is there at all; empty where something is."""
    uncompiled: dict[str, str] = {}
    """What does not compile, by case id."""
    interpreted: frozenset[str] = frozenset()
    """Variants that are called from Python."""


def ask(config: Config, machine: Machine, sides: tuple[Side, Side], memory_bytes: int) -> tuple[Known, Known]:
    """What each side can run, asked of a worker of its own. Raises UsageError for kernels that cannot be listed."""
    own = _config(config, sides[0]), _config(config, sides[1])
    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:

        def both(one: Callable[[int], T]) -> tuple[T, T]:
            asked = [pool.submit(one, side) for side in (0, 1)]
            # Both are waited for before either may fail: what opens after that would never be closed.
            wait(asked)
            return asked[0].result(), asked[1].result()

        libraries = both(lambda side: _listing(sides[side], memory_bytes, machine, stack))
        catalogues = both(lambda side: libraries[side].catalogue())
        planned = plans(own, catalogues, machine)

        def known(side: int) -> Known:
            plan = planned[side]
            if isinstance(plan, str):
                return Known({}, {}, {}, libraries[side].source_hash, f"{sides[side].label}: {plan}")
            return _known(libraries[side], catalogues[side], plan, own[side], memory_bytes)

        return both(known)


def _config(config: Config, side: Side) -> Config:
    return structs.replace(config, modules=side.modules, extra_modules=side.modules)


def _listing(side: Side, memory_bytes: int, machine: Machine, stack: ExitStack) -> Librarian:
    """A worker of ``side`` that lists its kernels, until ``stack`` is left."""
    try:
        return stack.enter_context(librarian(side.modules, starter(side, memory_bytes, last_level(machine))))
    except WorkerError as error:
        if not (side.rooms or side.python):
            raise
        # Kernels of another time, or an environment without what they import: the user's choice, not our fault.
        why = str(error).strip().splitlines()[-1]
        raise UsageError(f"{side.label}: its kernels do not go with this kernelbench: {why}") from error


def _known(library: Librarian, has: CatalogueReply, plan: Plan, config: Config, memory_bytes: int) -> Known:
    infos = library.describe(plan.cases)
    plan = admit(plan, infos, has.variants, memory_bytes=memory_bytes, python_cap_s=config.python_cap_s)
    return Known(
        works={info.case_id: info.work for info in infos},
        cases={case.id: case for case in plan.cases},
        skipped={case.id: reason for case, reason in plan.skipped},
        source_hash=library.source_hash,
        interpreted=frozenset(variant.name for variant in has.variants if not variant.compiled),
    )
