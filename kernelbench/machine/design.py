"""The name of the CPU's design ("zen4"), from archspec's database of microarchitectures."""

from typing import Any

from msgspec import Struct

from kernelbench.machine.answers import LlvmHost, version_of
from kernelbench.machine.cpuinfo import CpuInfo
from kernelbench.machine.tree import Tree
from kernelbench.model import Unknown
from kernelbench.remember import remembered


class Design(Struct, frozen=True):
    """archspec's verdict."""

    name: str | Unknown


def microarchitecture(tree: Tree, info: CpuInfo, llvm: LlvmHost | Unknown) -> str | Unknown:
    """The design that archspec finds by vendor and features, or the one LLVM's CPU name stands for.

    LLVM goes by family and model. Its word counts where archspec knows none, and where its design descends from
    archspec's: a guest from which some features are hidden is taken for an older design by what is left.
    """
    flags, vendor = info.flags, info.value("vendor_id")
    if isinstance(flags, Unknown):
        return flags
    part = info.value("cpu part")
    key = {
        "architecture": info.architecture,
        "vendor": vendor if isinstance(vendor, str) else "",
        "implementer": str(info.value("cpu implementer")),
        "part": part if isinstance(part, str) else "",
        "flags": " ".join(sorted(flags)),
        "llvm": llvm.name if isinstance(llvm, LlvmHost) else "",
    }
    if len(set(info.parts.values())) > 1:
        return Unknown(f"several designs in one machine: {', '.join(sorted(set(info.parts.values())))}")
    if not tree.live:
        return _ask(key).name
    answer = remembered("design", {**key, "archspec": version_of("archspec")}, Design, lambda: _ask(key))
    return answer if isinstance(answer, Unknown) else answer.name


def _ask(key: dict[str, str]) -> Design:
    """archspec's own choice (``archspec.cpu.host``), for given facts instead of those of the running machine."""
    from archspec.cpu import TARGETS
    from archspec.cpu.detect import COMPATIBILITY_CHECKS, partial_uarch

    check = COMPATIBILITY_CHECKS.get(key["architecture"])
    if check is None:
        return Design(Unknown(f"archspec cannot compare designs of architecture {key['architecture']!r}"))
    vendor = key["vendor"] or _arm_vendor(key["implementer"])
    facts = partial_uarch(vendor=vendor, features=set(key["flags"].split()), cpu_part=key["part"])
    fitting = [target for target in TARGETS.values() if check(facts, target)]
    generic = [target for target in fitting if target.vendor == "generic"]
    best = max(generic, key=_depth, default=None)
    # A design must at least be its generic level; on ARM, whose designs are told by number, also that number.
    named = [target for target in fitting if best is None or target > best]
    if key["part"]:
        named = [target for target in fitting if target.cpu_part == key["part"]]
    by_features = max(named, key=_depth, default=None)
    by_llvm = [target for target in TARGETS.values() if key["llvm"] and _clang_name(target) == key["llvm"]]
    by_model = min(by_llvm, key=_depth, default=None)
    if by_model is not None and (by_features is None or by_model > by_features):
        return Design(str(by_model.name))
    if by_features is not None:
        return Design(str(by_features.name))
    told = f"CPU part {key['part']}" if key["part"] else f"features beyond the generic {best.name if best else 'level'}"
    return Design(Unknown(f"archspec knows no design with this machine's {told}"))


def _depth(target: Any) -> tuple[int, int]:
    """archspec's order: the newest design has the most ancestors, then the most features."""
    return len(target.ancestors), len(target.features)


def _clang_name(target: Any) -> str:
    """What newest Clang, hence LLVM, calls the design."""
    entries = target.compilers.get("clang", ())
    return str(entries[-1].get("name", target.name)) if entries else ""


def _arm_vendor(implementer: str) -> str:
    from archspec.cpu.schema import TARGETS_JSON

    return str(TARGETS_JSON["conversions"]["arm_vendors"].get(implementer, "generic"))
