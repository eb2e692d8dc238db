"""The one kernel that a command looks at: its name, its number type, and the cases of it that can run here."""

from fnmatch import fnmatchcase

from kernelbench.config import Config
from kernelbench.config_check import did_you_mean
from kernelbench.errors import UsageError
from kernelbench.model import Machine, VariantInfo
from kernelbench.plan import Plan, admit, expand
from kernelbench.protocol import CaseInfo, CatalogueReply
from kernelbench.runner.library import Librarian

USUAL_DTYPE = "f32"
"""What a kernel is looked at in where no number type is asked for and it has this one."""
SHOWN = 6
"""Names in an error."""


def one_variant(kernel: str, known: CatalogueReply, command: str) -> VariantInfo:
    """The variant called ``kernel``, or the only one that it matches as a glob.

    Raises UsageError for none and for several, in the words of ``command`` ("profile").
    """
    variants = {variant.name: variant for variant in known.variants}
    found = [kernel] if kernel in variants else [name for name in variants if fnmatchcase(name, kernel)]
    if len(found) == 1:
        return variants[found[0]]
    if found:
        more = ", ..." if len(found) > SHOWN else ""
        raise UsageError(
            f"{kernel!r} names {len(found)} kernels ({', '.join(found[:SHOWN])}{more}); {command} takes one"
        )
    of_op = [name for name in variants if name.startswith(f"{kernel}/")]
    if of_op:
        raise UsageError(f"{kernel!r} is an op; {command} takes one of its variants: {', '.join(of_op)}")
    raise UsageError(f"there is no kernel {kernel!r}; {did_you_mean(kernel, list(variants))}")


def dtype_of(variant: VariantInfo, wanted: str = "") -> str:
    """``wanted``, else the usual number type, else the variant's first. Raises UsageError for one that it lacks."""
    if wanted and wanted not in variant.dtypes:
        raise UsageError(f"{variant.name} has no dtype {wanted!r}; it has {', '.join(variant.dtypes)}")
    return wanted or (USUAL_DTYPE if USUAL_DTYPE in variant.dtypes else variant.dtypes[0])


def planned(
    config: Config,
    known: CatalogueReply,
    variant: VariantInfo,
    library: Librarian,
    machine: Machine,
    memory_bytes: int,
) -> tuple[Plan, tuple[CaseInfo, ...]]:
    """The cases of ``variant`` that ``config`` asks for and that can run here; what each of those asked for takes."""
    plan = expand(
        config,
        known.ops,
        (variant,),
        usable_threads=machine.limits.usable_threads,
        isa_levels=machine.cpu.isa_levels,
    )
    infos = library.describe(plan.cases)
    return admit(plan, infos, (variant,), memory_bytes=memory_bytes, python_cap_s=config.python_cap_s), infos
