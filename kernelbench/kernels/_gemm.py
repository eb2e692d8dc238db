"""The register tile and the blocking of the packed matmul (Goto and van de Geijn 2008; Van Zee, BLIS, 2015).

    for p0 in k by kc          a slice of kc steps of the sum
      for j0 in n by nc        b[kc, nc] is packed into panels nr wide, read from L2 or L3
        for i in m by mr       a[mr, kc], the sliver, is copied to its place in L1
          for j in nc by nr    the tile: c[mr, nr] lives in registers for kc steps

A step of the tile loads nr of b and mr of a for mr x nr multiply-adds. Every c[i,j] adds its products in order
of p: no sum is reordered, and the tile starts from c itself after the first slice.
"""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from kernelbench.kernels._gemm_copies import exchange, pack_panel
from kernelbench.simd.vector import (
    Vector,
    copy_vector,
    element_bytes,
    element_pointer,
    moved,
    pointer_at,
    vector_bytes,
)

VECTOR_BYTES = vector_bytes()
MR = {64: 14, 32: 6}.get(VECTOR_BYTES, 4)
VECTORS = 2
"""mr rows by two vectors: 28 sums + 2 vectors of b + 1 of a = 31 of AVX-512's 32 registers, 12 + 2 + 1 = 15 of AVX2's
16; without three-operand instructions each product needs one more, so 8 + 2 + 2 of SSE's 16."""

KC_BYTES = 2560
"""At most kc = 640 steps in f32, 320 in f64, dealt evenly: n = 512 is one slice, 1000 two of 500, whose slivers of 14
rows are 28 KiB, most of a 32 KiB L1. Longer slices write c less often: 2 to 3% from n = 1000 on over 384 (f32)."""
NC_BYTES = 4096
"""nc = 1024 columns: a block of b is up to 640 x 1024 x 4 B = 2.5 MiB. A panel is read once for each 14 rows, 4.6 B a
cycle at one AVX-512 FMA a cycle, which L3 gives as well as L2; blocks that fit 1 MiB of L2 were 1 to 2% slower from
n = 1000 on, for they copy every sliver of a more often."""
AHEAD_BYTES = 1024
"""Lines of b are asked for this far ahead, 8 steps of the tile: where neighbours share L3, 1% faster from 512 on."""
PAD_BYTES = 64
"""Rows of a sliver lie 2624 B apart: 41 lines, odd, so that they spread over all sets of L1, where rows of a 4 KiB
apart would share one set. A distance known to the compiler also leaves one pointer to all rows instead of 14."""
PACK_FROM_BLOCKS = 10
"""Packing b pays once it is read by this many blocks of mr rows; below, it is read in place."""
TILE_BYTES = MR * VECTORS * max(VECTOR_BYTES, 8)
SLIVER_BYTES = MR * (KC_BYTES + PAD_BYTES)


def workspace_bytes(kc_bytes: int, nc_bytes: int) -> int:
    """Scratch memory of one thread for these blocks; f32 has the most elements a row of panels: f64 needs no more."""
    panels = (kc_bytes // 4) * (nc_bytes + VECTORS * max(VECTOR_BYTES, 8))
    return -(-(TILE_BYTES + SLIVER_BYTES + panels) // 4096) * 4096


WORKSPACE_BYTES = workspace_bytes(KC_BYTES, NC_BYTES)
"""Of one thread, for the blocks above."""


Tile = list[list[Any]]
"""A value of LLVM's for each row and vector of the tile."""


def _step(builder: ir.IRBuilder, v: Vector, sums: Tile, rows_of_a: list[ir.Value], row_of_b: ir.Value) -> Tile:
    """sums[r][j] + a[r] b[j], for one step of k; pointers to that step's elements of a and b."""
    index = ir.IntType(64)
    columns = [v.load(builder, builder.gep(row_of_b, [index(j * v.lanes)])) for j in range(len(sums[0]))]
    new = []
    for row, at in zip(sums, rows_of_a, strict=True):
        factor = v.broadcast(builder, builder.load(at))
        new.append([v.multiply_add(builder, factor, x, total) for x, total in zip(columns, row, strict=True)])
    return new


def _ask_for(builder: ir.IRBuilder, pointer: ir.Value) -> None:
    """Have the line at ``pointer`` brought to L1; it may lie beyond the array, for a prefetch never faults."""
    place, word = builder.bitcast(pointer, ir.IntType(8).as_pointer()), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [place.type, word, word, word])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(prefetch, [place, word(0), word(3), word(1)])  # for reading, to every level, data


def _tile(builder: ir.IRBuilder, v: Vector, rows: int, vectors: int, args: Any) -> None:
    """IR of the tile of ``rows`` rows by ``vectors`` vectors; ends in a block of its own."""
    _, _, k, a, b, b_row, c, c_row, first = args
    index, a_row = k.type, (KC_BYTES + PAD_BYTES) // v.itemsize
    places = [
        [builder.gep(c, [builder.add(builder.mul(index(r), c_row), index(j * v.lanes))]) for j in range(vectors)]
        for r in range(rows)
    ]
    entry = builder.block
    again, body, done = (builder.append_basic_block(name) for name in ("again", "step", "done"))
    builder.cbranch(builder.icmp_signed("!=", first, index(0)), body, again)
    builder.position_at_end(again)
    before = [[v.load(builder, at) for at in row] for row in places]
    builder.branch(body)
    builder.position_at_end(body)
    p = builder.phi(index)
    sums = [[builder.phi(v.type) for _ in row] for row in places]
    at_step = builder.gep(a, [p])
    rows_of_a = [builder.gep(at_step, [index(r * a_row)]) for r in range(rows)]
    row_of_b = builder.gep(b, [builder.mul(p, b_row)])
    for j in range(vectors):
        _ask_for(builder, builder.gep(row_of_b, [index(AHEAD_BYTES // v.itemsize + j * v.lanes)]))
    new = _step(builder, v, sums, rows_of_a, row_of_b)
    following = builder.add(p, index(1))
    for block, value in ((entry, index(0)), (again, index(0)), (body, following)):
        p.add_incoming(value, block)
    for r in range(rows):
        for j in range(vectors):
            sums[r][j].add_incoming(v.zero(), entry)
            sums[r][j].add_incoming(before[r][j], again)
            sums[r][j].add_incoming(new[r][j], body)
    builder.cbranch(builder.icmp_signed("<", following, k), body, done)
    builder.position_at_end(done)
    for row, values in zip(places, new, strict=True):
        for at, value in zip(row, values, strict=True):
            v.store(builder, value, at)


@intrinsic
def tile(typingctx, rows, vectors, k, a, b, b_row, c, c_row, first):
    """c[rows, vectors x lanes] = (0 if first else c) + a[rows,k] @ b[k, vectors x lanes], k >= 1.

    1 <= rows <= MR, 1 <= vectors <= VECTORS; a, b, c are pointers; rows of a lie as in a
    sliver, those of b and c ``b_row`` and ``c_row`` elements apart.
    """

    def codegen(context, builder, signature, args):
        v = Vector(signature.args[3].dtype.name)
        rows, vectors = args[0], args[1]
        # One loop for each height and width, so that every sum has a register of its own.
        none, after = builder.append_basic_block("none"), builder.append_basic_block("after")
        chosen = builder.add(builder.mul(rows, rows.type(VECTORS)), vectors)
        switch = builder.switch(chosen, none)
        for height in range(1, MR + 1):
            for width in range(1, VECTORS + 1):
                block = builder.append_basic_block(f"tile{height}x{width}")
                switch.add_case(rows.type(height * VECTORS + width), block)
                builder.position_at_end(block)
                _tile(builder, v, height, width, args)
                builder.branch(after)
        builder.position_at_end(none)
        builder.branch(after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    if not (isinstance(a, types.CPointer) and a == b == c):
        return None
    size = types.intp
    return types.void(size, size, size, a, a, size, a, size, size), codegen


@njit(nogil=True)
def copy_sliver(a, row, rows, step, steps, sliver):
    """sliver[rows, steps] = a[row : row + rows, step : step + steps], rows of the sliver KC_BYTES + PAD_BYTES apart."""
    k, lanes = a.shape[1], max(VECTOR_BYTES // element_bytes(a), 1)
    for r in range(rows):
        at = moved(sliver, r * ((KC_BYTES + PAD_BYTES) // element_bytes(a)))
        start = element_pointer(a, (row + r) * k + step)
        for v in range(0, steps - lanes + 1, lanes):
            copy_vector(moved(at, v), moved(start, v))
        for s in range(steps // lanes * lanes, steps):
            at[s] = start[s]


@njit(nogil=True, inline="always")
def product(a, b, c, i0, i1, j0, j1, work):
    """c[i0:i1, j0:j1] = a[i0:i1, :] @ b[:, j0:j1], all C-contiguous; ``work``: address of WORKSPACE_BYTES."""
    product_by(a, b, c, i0, i1, j0, j1, KC_BYTES, NC_BYTES, PACK_FROM_BLOCKS, work)


@njit(nogil=True, inline="always")
def product_by(a, b, c, i0, i1, j0, j1, kc_bytes, nc_bytes, pack_from_blocks, work):
    """``product`` in blocks of one's choice, kc_bytes <= KC_BYTES; ``work``: address of workspace_bytes(...)."""
    k = a.shape[1]
    kc, nc = max(1, kc_bytes // element_bytes(a)), max(1, nc_bytes // 4)
    if k == 0:
        c[i0:i1, j0:j1] = 0
    slices = (k + kc - 1) // kc
    blocks = (i1 - i0 + MR - 1) // MR
    for number in range(slices):
        p = k * number // slices
        steps = k * (number + 1) // slices - p
        for j in range(j0, j1, nc):
            columns = min(nc, j1 - j)
            packed = blocks >= pack_from_blocks
            panels = pointer_at(work + TILE_BYTES + SLIVER_BYTES, a)
            pack_block(b, p, steps, j, columns, packed, panels)
            for block in range(blocks):
                # Heights differ by one at most: 64 rows are 13 + 13 + 13 + 13 + 12, not 14 x 4 + 8.
                top = i0 + (i1 - i0) * block // blocks
                rows = i0 + (i1 - i0) * (block + 1) // blocks - top
                block_of_rows(a, b, c, top, rows, p, steps, j, columns, packed, work)


@njit(nogil=True)
def pack_block(b, p, steps, j, columns, packed, panels):
    """Panels of b[p : p + steps, j : j + columns], or only the ragged last one when b is read in place."""
    lanes = max(VECTOR_BYTES // element_bytes(b), 1)
    nr = VECTORS * lanes
    for s in range(0, columns, nr):
        width = min(nr, columns - s)
        if packed or width % lanes:
            pack_panel(b, p, steps, j + s, width, lanes, moved(panels, s * steps))


@njit(nogil=True, inline="always")
def block_of_rows(a, b, c, top, rows, p, steps, j, columns, packed, work):
    """Every tile of c[top : top + rows, j : j + columns] for ``steps`` steps of k from p."""
    n = b.shape[1]
    lanes = max(VECTOR_BYTES // element_bytes(a), 1)
    nr = VECTORS * lanes
    aside, sliver = pointer_at(work, a), pointer_at(work + TILE_BYTES, a)
    panels = pointer_at(work + TILE_BYTES + SLIVER_BYTES, a)
    copy_sliver(a, top, rows, p, steps, sliver)
    for s in range(0, columns, nr):
        width = min(nr, columns - s)
        ragged = width % lanes != 0
        vectors = (width + lanes - 1) // lanes
        b_row, rows_of_b = n, element_pointer(b, p * n + j + s)
        if packed or ragged:
            b_row, rows_of_b = vectors * lanes, moved(panels, s * steps)
        c_row, target = n, element_pointer(c, top * n + j + s)
        if ragged:
            c_row, target = nr, aside
            exchange(c, top, rows, j + s, width, nr, aside, True)
        tile(rows, vectors, steps, sliver, rows_of_b, b_row, target, c_row, p == 0)
        if ragged:
            exchange(c, top, rows, j + s, width, nr, aside, False)
