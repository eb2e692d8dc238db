"""4-bit weights times f32 for Numba: a panel of rows of packed nibbles against one vector, at any level.

Where the target has AVX-512, one permute looks 16 nibbles up in a register that holds the floats -8..7: it reads
no more than 4 bits of each index, so nothing is masked, subtracted or converted. Elsewhere nibbles become the last
bits of floats from 2^23 on, of which 2^23 + 8 is subtracted.
"""

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import config
from numba.extending import intrinsic

from kernelbench.kernels._weights import CHUNK
from kernelbench.simd import lanes as simd
from kernelbench.simd.vectortype import VectorType, intrinsic_call

NIBBLES = 16


def _target_permutes_16_floats() -> bool:
    """True when Numba compiles for AVX-512 (the ISA level of this process, not the host's)."""
    if config.CPU_FEATURES is not None:
        return "+avx512f" in config.CPU_FEATURES
    return bool(llvm.get_host_cpu_features().get("avx512f", False))


@intrinsic
def floats_of(typingctx: Any, words: Any) -> Any:
    """The last 4 bits of each lane of int32 as a float -8..7; the other bits may be anything."""
    if not isinstance(words, VectorType) or words.element != types.int32:
        return None
    floats = VectorType(types.float32, words.lanes)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        def everywhere(kind: Any, value: float) -> ir.Constant:
            return ir.Constant(kind.ir, [value] * words.lanes)

        if words.lanes == NIBBLES and _target_permutes_16_floats():
            table = ir.Constant(floats.ir, [float(i - 8) for i in range(NIBBLES)])
            return intrinsic_call(builder, "llvm.x86.avx512.permvar.sf.512", floats.ir, [table, args[0]])
        nibble = builder.and_(args[0], everywhere(words, NIBBLES - 1))
        large = builder.bitcast(builder.or_(nibble, everywhere(words, 0x4B000000)), floats.ir)
        return builder.fsub(large, everywhere(floats, 2.0**23 + 8))

    return floats(words), codegen


@njit(nogil=True)
def float_panel(packed, steps, x, p):
    """Sums of the rows of panel p of packed[panels,chunks,4,lanes] int32 with steps[panels,groups,lanes] times x[n]."""
    groups, lanes = steps.shape[1], simd.lanes(packed)
    chunks = packed.shape[1] // groups
    total = simd.zeros(x)
    for g in range(groups):
        even, odd = simd.zeros(x), simd.zeros(x)
        for c in range(g * chunks, (g + 1) * chunks):
            at, j = (p * packed.shape[1] + c) * 4 * lanes, c * CHUNK
            if j + CHUNK <= x.size:
                for t in range(4):
                    both = simd.load(packed, at + t * lanes)
                    for b in range(4):
                        k = j + 4 * t + b
                        even = simd.fma(floats_of(both >> (8 * b)), x[k], even)
                        odd = simd.fma(floats_of(both >> (8 * b + 4)), x[k + 16], odd)
            else:
                even = last_chunk(packed, x, at, j, even)
        total = simd.fma(even + odd, simd.load(steps, (p * groups + g) * lanes), total)
    return total


@njit(nogil=True)
def last_chunk(packed, x, at, j, total):
    """total + the products of a chunk that x[j:] does not fill: what lies beyond x is not read."""
    for k in range(x.size - j):
        place = k % 16
        both = simd.load(packed, at + place // 4 * simd.lanes(packed))
        total = simd.fma(floats_of(both >> np.int32(8 * (place % 4) + 4 * (k // 16))), x[j + k], total)
    return total
