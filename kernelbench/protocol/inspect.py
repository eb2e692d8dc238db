"""Asking a worker what the compiler made of a case."""

from msgspec import Struct

from kernelbench.model import Case
from kernelbench.model.inspection import Inspection


class Inspect(Struct, frozen=True, tag=True):
    """Compile ``case`` anew, find its hot loop, count its iterations. Answer: ``Inspected`` or ``CaseFailed``.

    The last request to a worker: LLVM goes on making remarks after it.
    """

    case: Case
    seed: int
    design: str
    """archspec's name of the CPU's design; empty where not known."""
    count: bool = True
    """Whether to run a copy that counts."""


class Inspected(Struct, frozen=True, tag=True):
    """The code of a case, not timed."""

    inspection: Inspection
