"""Why a described case should not be run here, in arithmetic; an empty text when it may."""

from msgspec import UNSET

from kernelbench import units
from kernelbench.model import DTYPE_BYTES, Case, VariantInfo, Work
from kernelbench.protocol import CaseInfo


def memory_problem(case: Case, info: CaseInfo, memory_bytes: int) -> str:
    """Running and verifying need more than ``memory_bytes``: operands + prepared + checking, then the sum."""
    if info.memory_bytes <= memory_bytes:
        return ""
    known = {"operands": info.work.working_set_bytes, "prepared": info.work.prepared_bytes}
    parts = [(name, float(value)) for name, value in known.items() if value is not UNSET and value > 0]
    rest = info.memory_bytes - sum(value for _, value in parts)
    total = f"{units.size_bytes(info.memory_bytes)}, {units.size_bytes(memory_bytes)} may be used"
    if not parts or rest < 0:
        return f"does not fit in memory: needs {total}"
    if rest > 0:
        parts.append(("copies and reference for checking", rest))
    terms = " + ".join(f"{units.size_bytes(value)} {name}" for name, value in parts)
    return f"does not fit in memory: needs {terms} = {total}"


def interpreter_problem(case: Case, info: CaseInfo, variant: VariantInfo, cap_s: float) -> str:
    """An interpreted call would take longer than ``cap_s`` seconds at the variant's assumed rate."""
    if variant.python_flops is UNSET:
        return ""
    operations = _operations(info.work, case.dtype)
    estimate_s = operations / variant.python_flops
    if estimate_s <= cap_s:
        return ""
    return (
        f"interpreted: {_power(operations)} operations at an assumed {_power(variant.python_flops)}/s = "
        f"{units.seconds(estimate_s)} a call; the cap is {cap_s:g} s (python_cap_s)"
    )


def _operations(work: Work, dtype: str) -> float:
    """Operations of one call: its FLOP, or one for each element moved where it has none."""
    if work.flop is not UNSET:
        return float(work.flop)
    moved = sum(float(value) for value in (work.read_bytes, work.write_bytes) if value is not UNSET)
    return moved / DTYPE_BYTES[dtype]


def _power(value: float) -> str:
    """2.7e+08 -> "2.7e8"."""
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
