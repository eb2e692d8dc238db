"""From a request to the one case that is profiled, with everything the machine has to say about it."""

from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from kernelbench import config
from kernelbench.config import Config, Matrix
from kernelbench.config_check import did_you_mean
from kernelbench.errors import UsageError
from kernelbench.model import Case, Machine, OpInfo, VariantInfo, Work
from kernelbench.plan import admit, expand
from kernelbench.profiling.request import EFFORTS, Request
from kernelbench.protocol import CatalogueReply
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


def one_variant(kernel: str, known: CatalogueReply) -> VariantInfo:
    """The only variant that ``kernel`` names. Raises UsageError for none and for several."""
    names = [variant.name for variant in known.variants]
    found = [name for name in names if name == kernel] or [name for name in names if fnmatchcase(name, kernel)]
    if not found:
        raise UsageError(f"there is no kernel {kernel!r}; {did_you_mean(kernel, names)}")
    if len(found) > 1:
        more = ", ..." if len(found) > 6 else ""
        raise UsageError(f"{kernel!r} names {len(found)} kernels ({', '.join(found[:6])}{more}); profile takes one")
    return next(variant for variant in known.variants if variant.name == found[0])


def select(request: Request, library: Librarian, machine: Machine, memory_bytes: int) -> Subject:
    """The case of ``request``. Raises UsageError for what names nothing, and for a case that cannot run here."""
    settled = configuration(request)
    known = library.catalogue()
    variant = one_variant(request.kernel, known)
    dtype = request.dtype or ("f32" if "f32" in variant.dtypes else variant.dtypes[0])
    if dtype not in variant.dtypes:
        raise UsageError(f"{variant.name} has no dtype {dtype!r}; it has {', '.join(variant.dtypes)}")
    block = settled.matrix[0]
    narrow = Matrix((variant.name,), (dtype,), block.sizes, {}, block.threads, block.isa)
    plan = expand(
        replace(settled, matrix=(narrow,)),
        known.ops,
        (variant,),
        usable_threads=machine.limits.usable_threads,
        isa_levels=machine.cpu.isa_levels,
    )
    infos = library.describe(plan.cases)
    plan = admit(plan, infos, (variant,), memory_bytes=memory_bytes, python_cap_s=settled.python_cap_s)
    if not plan.cases:
        case, why = plan.skipped[0]
        raise UsageError(f"{case.id} cannot be profiled: {why}")
    case = plan.cases[0]
    work = next(info.work for info in infos if info.case_id == case.id)
    op = next(op for op in known.ops if op.name == variant.op)
    return Subject(case, variant, op, work, settled, machine, library.source_hash, memory_bytes)
