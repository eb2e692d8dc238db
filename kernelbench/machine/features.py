"""SIMD features under one set of names, and the instruction-set levels that follow from them."""

from collections.abc import Set as AbstractSet

from kernelbench.model import ISA_LEVELS, IsaLevel, Unknown

#: Our name -> the kernel's flag, in order of width (Linux arch/x86/include/asm/cpufeatures.h).
X86 = {
    "sse2": "sse2",
    "sse3": "pni",
    "ssse3": "ssse3",
    "sse4.1": "sse4_1",
    "sse4.2": "sse4_2",
    "avx": "avx",
    "f16c": "f16c",
    "fma": "fma",
    "avx2": "avx2",
    "avx_vnni": "avx_vnni",
    "avx512f": "avx512f",
    "avx512cd": "avx512cd",
    "avx512dq": "avx512dq",
    "avx512bw": "avx512bw",
    "avx512vl": "avx512vl",
    "avx512_ifma": "avx512ifma",
    "avx512_vbmi": "avx512vbmi",
    "avx512_vbmi2": "avx512_vbmi2",
    "avx512_vnni": "avx512_vnni",
    "avx512_bitalg": "avx512_bitalg",
    "avx512_vpopcntdq": "avx512_vpopcntdq",
    "avx512_bf16": "avx512_bf16",
    "avx512_fp16": "avx512_fp16",
    "amx_tile": "amx_tile",
    "amx_int8": "amx_int8",
    "amx_bf16": "amx_bf16",
    "amx_fp16": "amx_fp16",
}

#: The same for 64-bit ARM (Linux Documentation/arch/arm64/elf_hwcaps.rst).
ARM = {
    "neon": "asimd",
    "fp16": "asimdhp",
    "fhm": "asimdfhm",
    "dotprod": "asimddp",
    "bf16": "bf16",
    "i8mm": "i8mm",
    "sve": "sve",
    "sve2": "sve2",
    "sme": "sme",
    "sme2": "sme2",
}

FLAG_OF = {"x86_64": X86, "i686": X86, "aarch64": ARM}

#: What a level adds to the one below. LLVM spells these as we do.
NEEDS = {
    "scalar": (),
    "sse2": ("sse2",),
    "sse4.2": ("sse3", "ssse3", "sse4.1", "sse4.2"),
    "avx2": ("avx", "f16c", "fma", "avx2"),
    "avx512": ("avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl"),
    "neon": ("neon",),
    "sve": ("sve",),
}


def normalised(architecture: str, flags: AbstractSet[str] | Unknown) -> tuple[str, ...] | Unknown:
    """The kernel's ``flags`` as our feature names, narrowest first."""
    if isinstance(flags, Unknown):
        return flags
    if architecture not in FLAG_OF:
        return Unknown(f"no table of SIMD features for architecture {architecture!r}")
    return tuple(name for name, flag in FLAG_OF[architecture].items() if flag in flags)


def isa_levels(
    architecture: str, features: tuple[str, ...] | Unknown, llvm: AbstractSet[str] | Unknown, *, live: bool
) -> tuple[IsaLevel, ...]:
    """Every level of the architecture, usable when the CPU has it and LLVM may emit it.

    LLVM's host features already account for the registers that the OS saves (XCR0). A recorded tree
    (not ``live``) is judged by the kernel's flags alone, which hide what the OS has switched off.
    """
    levels: list[IsaLevel] = []
    for name in ISA_LEVELS.get(architecture, ("scalar",)):
        # A level contains those below it: once one is missing, so are all above.
        below = levels[-1].reason if levels else ""
        missing = _missing(NEEDS[name], features, llvm, live=live) or below
        levels.append(IsaLevel(name, usable=not missing, reason=missing))
    return tuple(levels)


def _missing(
    needs: tuple[str, ...], features: tuple[str, ...] | Unknown, llvm: AbstractSet[str] | Unknown, *, live: bool
) -> str:
    if not needs:
        return ""
    if isinstance(features, Unknown):
        return f"CPU features unknown: {features.unknown}"
    lacking = [name for name in needs if name not in features]
    if lacking:
        return f"the CPU lacks {', '.join(lacking)}"
    if not live:
        return ""
    if isinstance(llvm, Unknown):
        return f"LLVM's host features unknown: {llvm.unknown}"
    lacking = [name for name in needs if name not in llvm]
    return f"LLVM may not emit {', '.join(lacking)} here, or the OS does not save its registers" if lacking else ""
