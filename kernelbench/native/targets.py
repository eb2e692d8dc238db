"""What a compiler is told for each x86-64 instruction-set level. Imports msgspec only.

"native" is no level: it is the host itself. Other architectures have no entry: their levels are the host's too.
"""

from msgspec import Struct


class Target(Struct, frozen=True):
    """LLVM's words for one instruction-set level."""

    cpu: str
    """CPU name ("haswell")."""
    features: str
    """Feature list beyond the name's own ("+avx2,+fma"); may be empty."""


TARGETS = {
    # Numba's CPU name alone changes nothing: the features must be given as well, if only as an empty list.
    "scalar": Target("x86-64", ""),
    "sse2": Target("x86-64", ""),
    "sse4.2": Target("nehalem", ""),
    "avx2": Target("haswell", ""),
    # The generic avx512 target prefers 256-bit vectors, which is avx2 by another name.
    "avx512": Target("x86-64-v4", "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl,+avx2,+fma,-prefer-256-bit"),
}
"""Level -> what to compile for. "scalar" also needs the compiler's vectorisers off."""
