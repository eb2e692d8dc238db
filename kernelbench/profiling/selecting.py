"""From a request to the one case that is profiled, with everything the machine has to say about it."""

from msgspec import Struct
from msgspec.structs import replace

from kernelbench import config
from kernelbench.config import Config, Matrix
from kernelbench.config_check import did_you_mean
from kernelbench.errors import UsageError
from kernelbench.model import Case, Machine, OpInfo, VariantInfo, Work
from kernelbench.profiling.request import EFFORTS, Request
from kernelbench.runner.choosing import dtype_of, one_variant, planned
from kernelbench.runner.library import Librarian

BUDGET_S = {"full": 180.0, "quick": 45.0}
"""For the rounds of all sweeps."""


class Subject(Struct, frozen=True):
    """What is profiled."""

    case: Case
    variant: VariantInfo
    op: OpInfo
    work: Work
    config: Config
    machine: Machine
    source_hash: str
    memory_bytes: int
    """Most memory that a worker may take."""


def configuration(request: Request) -> Config:
    """The configuration that selects what ``request`` names. Raises UsageError for what cannot be."""
    if request.effort not in EFFORTS:
        raise UsageError(f"effort {request.effort!r} is unknown; {did_you_mean(request.effort, EFFORTS)}")
    block = Matrix(
        kernels=(request.kernel,),
        dtypes=(request.dtype,) if request.dtype else (),
        sizes=(request.size,) if request.size else (),
        threads=(request.threads,),
        isa=(request.isa,),
    )
    flags = config.Flags(quick=request.effort != "full", params=request.params, modules=request.modules)
    budget_s = BUDGET_S.get(request.effort, Config().time_budget_s)
    return config.override(Config(seed=request.seed, matrix=(block,), time_budget_s=budget_s), flags)


def select(request: Request, library: Librarian, machine: Machine, memory_bytes: int) -> Subject:
    """The case of ``request``. Raises UsageError for what names nothing, and for a case that cannot run here."""
    settled = configuration(request)
    known = library.catalogue()
    variant = one_variant(request.kernel, known, "profile")
    block = settled.matrix[0]
    narrow = replace(block, kernels=(variant.name,), dtypes=(dtype_of(variant, request.dtype),))
    plan, infos = planned(replace(settled, matrix=(narrow,)), known, variant, library, machine, memory_bytes)
    if not plan.cases:
        case, why = plan.skipped[0]
        raise UsageError(f"{case.id} cannot be profiled: {why}")
    case = plan.cases[0]
    work = next(info.work for info in infos if info.case_id == case.id)
    op = next(op for op in known.ops if op.name == variant.op)
    return Subject(case, variant, op, work, settled, machine, library.source_hash, memory_bytes)
