"""Feature names and instruction-set levels."""

from kernelbench.machine.features import ARM, NEEDS, X86, isa_levels, normalised
from kernelbench.model import ISA_LEVELS, IsaLevel, Unknown

AVX2 = ("sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "avx", "f16c", "fma", "avx2")
AVX512 = (*AVX2, "avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl")


def by_name(levels: tuple[IsaLevel, ...]) -> dict[str, IsaLevel]:
    return {level.name: level for level in levels}


def test_kernel_flags_become_our_names_narrowest_first() -> None:
    flags = frozenset({"avx512_vnni", "pni", "avx512ifma", "sse4_1", "sse2", "rdrand"})
    assert normalised("x86_64", flags) == ("sse2", "sse3", "sse4.1", "avx512_ifma", "avx512_vnni")


def test_an_architecture_without_a_table_has_unknown_features() -> None:
    assert "riscv64" in str(normalised("riscv64", frozenset({"v"})))


def test_a_level_needs_both_the_cpu_and_llvm() -> None:
    levels = by_name(isa_levels("x86_64", AVX512, frozenset(AVX2), live=True))
    assert levels["avx2"].usable
    assert not levels["avx512"].usable
    assert levels["avx512"].reason.startswith("LLVM may not emit avx512f, avx512cd")


def test_a_recorded_machine_is_judged_by_its_flags() -> None:
    assert all(level.usable for level in isa_levels("x86_64", AVX512, Unknown("recorded"), live=False))


def test_without_llvm_only_scalar_code_is_usable() -> None:
    levels = isa_levels("x86_64", AVX512, Unknown("no llvmlite"), live=True)
    assert [level.name for level in levels if level.usable] == ["scalar"]
    assert "no llvmlite" in levels[-1].reason


def test_a_missing_lower_level_makes_all_above_unusable() -> None:
    features = tuple(name for name in AVX512 if name != "fma")
    levels = by_name(isa_levels("x86_64", features, frozenset(AVX512), live=True))
    assert levels["avx512"] == IsaLevel("avx512", usable=False, reason="the CPU lacks fma")


def test_every_level_is_defined_by_features_that_have_names() -> None:
    named = set(X86) | set(ARM)
    assert {level for levels in ISA_LEVELS.values() for level in levels} == set(NEEDS)
    assert {feature for needs in NEEDS.values() for feature in needs} <= named
