"""What a product of 8-bit operands prepares, does and must give; the kernel itself is in its op's file."""

import numpy as np
from msgspec import structs

from kernelbench.kernels._check import Verification, exactly
from kernelbench.kernels._product import product_error
from kernelbench.kernels._quantize import absmax_int8
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.model import Accuracy, Work
from kernelbench.simd.dot import COLUMNS, QUAD, ROWS


def panels(inputs: Arrays) -> Arrays:
    """(a, b, correction): a as unsigned bytes padded to whole tiles, b in panels, what the offset adds.

    The instruction multiplies unsigned by signed bytes, so a is stored as a + 128 and every sum starts
    at -128 * (column sum of b), which takes the offset back out exactly.
    """
    a, b = (absmax_int8(x)[0] for x in inputs)
    (m, k), n = a.shape, b.shape[1]
    rows, depth, columns = -(-m // ROWS) * ROWS, -(-k // QUAD) * QUAD, -(-n // COLUMNS) * COLUMNS
    unsigned = np.zeros((rows, depth), np.uint8)
    unsigned[:m, :k] = (a.astype(np.int16) + 128).astype(np.uint8)
    padded = np.zeros((depth, columns), np.int8)
    padded[:k, :n] = b
    # panel[j][p][column][q] = b[4 p + q, 32 j + column]: four steps of k for a column lie side by side
    panels = padded.reshape(depth // QUAD, QUAD, columns // COLUMNS, COLUMNS).transpose(2, 0, 3, 1)
    correction = (-128 * padded.sum(axis=0, dtype=np.int64)).astype(np.int32)
    return unsigned, np.ascontiguousarray(panels), correction


def work(shape: Shape, dtype: str) -> Work:
    """2 m n k integer operations; bytes of the 8-bit operands, once each, and of the 32-bit result."""
    m, n, k = shape["m"], shape["n"], shape["k"]
    return Work(
        model="modelled",
        flop=2 * m * n * k,  # integer operations
        mix="dot",
        read_bytes=m * k + k * n,
        write_bytes=4 * m * n,
        rfo_bytes=4 * m * n,
        working_set_bytes=m * k + k * n + 4 * m * n,
        prepared_bytes=m * k + k * n + 4 * n,
    )


def check(v: Verification) -> Accuracy:
    """c[m,n] int32 exactly, then its dequantized values against float64; raises WrongResult."""
    (a, scale_a), (b, scale_b) = v.once("int8", lambda: tuple(absmax_int8(x) for x in v.inputs))
    # Integers below 2^53 are exact in float64 whatever the order: 127 * 127 * k < 2^53 for k < 5.5e11.
    oracle = v.once("oracle", lambda: (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64))
    exactly(v.outputs[0], oracle)
    # Half a step of either scale on each factor: (|a| + |b|) / 254 of a product whose factors are at
    # least 1/2 of the peak each, 1.6% at most; what a wrong integer would do is caught above, exactly.
    accuracy = product_error(v, v.inputs[0], v.inputs[1], v.outputs[0] * (scale_a * scale_b), 0.016)
    return structs.replace(accuracy, reference="exact int64 oracle, then float64")
