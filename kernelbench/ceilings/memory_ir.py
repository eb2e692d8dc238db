"""The loops that move bytes: wide loads and stores, eight vectors of each array a trip, no libc memcpy.

One function ``move`` per access mix, over arrays a, b, c of the same length:
  read      loads a                        update    a = -a         (bounded over any number of calls)
  write     a = 1/2                        copy_nt   copy with streaming stores
  copy      b = a                          triad_nt  triad with streaming stores
  triad     a = b + c/2
"""

from __future__ import annotations

import platform
from functools import cache

from msgspec import Struct

from kernelbench.native.host import llvm_host
from kernelbench.native.jit import Code, compile_ir

UNROLL = 8
"""Vectors of each array a trip: what the loop itself costs is then hidden behind them."""
REPEATS_WORD = 4
"""Where in the block the number of sweeps stands."""
RESULT_WORD = 8
"""Where in the block the read's result begins, one vector long."""


class Mix(Struct, frozen=True):
    """Which arrays a mix reads and writes, by letter."""

    reads: str
    writes: str
    streaming: bool = False
    """Stores that go past the caches, so that no line is read in order to be overwritten."""


LOOPS = {
    "read": Mix("a", ""),
    "write": Mix("", "a"),
    "copy": Mix("a", "b"),
    "triad": Mix("bc", "a"),
    "update": Mix("a", "a"),
    "copy_nt": Mix("a", "b", streaming=True),
    "triad_nt": Mix("bc", "a", streaming=True),
}


def widths(features: frozenset[str] | None = None) -> tuple[int, ...]:
    """Bytes of the vectors worth trying with LLVM's ``features`` (None: this host's), widest first.

    Each must be tried: the widest is not always the fastest. Zen 4 moves 64 B a cycle either way, but as one
    512-bit or two 256-bit loads, and measured at 16 KiB: read 59.5 B a cycle in 512-bit vectors, 63 in 256-bit
    ones; triad 77 and 91 (a 512-bit store takes the store unit for two cycles and holds up the loads beside
    it). Cores with two 512-bit load units need the wide ones.
    """
    have = llvm_host()[1] if features is None else features
    if "avx512f" in have:
        return (64, 32)
    return (32,) if "avx" in have else (16,)


class _Form(Struct, frozen=True):
    """A mix in vectors of one width: what the text of its loop is made from."""

    mix: Mix
    vector_bytes: int

    @property
    def floats(self) -> str:
        return f"<{self.vector_bytes // 4} x float>"

    @property
    def words(self) -> str:
        return f"<{self.vector_bytes // 8} x i64>"

    @property
    def arrays(self) -> str:
        return "".join(sorted({*self.mix.reads, *self.mix.writes}))

    @property
    def only_reads(self) -> bool:
        return not self.mix.writes


def _stored(form: _Form, u: int) -> str:
    """IR that computes ``%x{u}``, the value to be stored."""
    vec = form.floats
    if form.mix.reads == "bc":
        return f"  %m{u} = fmul contract {vec} %cv{u}, %half\n  %x{u} = fadd contract {vec} %bv{u}, %m{u}"
    if form.mix.reads == form.mix.writes:
        return f"  %x{u} = fneg {vec} %av{u}"
    return f"  %x{u} = bitcast {vec} {'%av' + str(u) if form.mix.reads else '%half'} to {vec}"


def _body(form: _Form) -> str:
    """IR of one trip, every address a running pointer and a constant."""
    vec, hint = form.floats, ", !nontemporal !0" if form.mix.streaming else ""
    lines = []
    for u in range(UNROLL):
        lines += [f"  %{x}p{u} = getelementptr i8, ptr %{x}at, i64 {u * form.vector_bytes}" for x in form.arrays]
        lines += [f"  %{x}v{u} = load {vec}, ptr %{x}p{u}, align 64" for x in form.mix.reads]
        if form.only_reads:
            # OR, not add: more units do it than a floating add, so it never limits the loads.
            lines += [f"  %w{u} = bitcast {vec} %av{u} to {form.words}", f"  %n{u} = or {form.words} %r{u}, %w{u}"]
        else:
            lines += [_stored(form, u), f"  store {vec} %x{u}, ptr %{form.mix.writes}p{u}, align 64{hint}"]
    return "\n".join(lines)


def _onward(form: _Form) -> str:
    """IR that moves each running pointer a trip on, through an empty statement that hides how.

    Otherwise LLVM makes one index of them. Some cores (Haswell to Skylake) have a store address unit that
    knows only base + constant: stores with an index would take the loads' units.
    """
    step = UNROLL * form.vector_bytes
    return "\n".join(
        f'  %{x}on = getelementptr i8, ptr %{x}at, i64 {step}\n  %{x}next = call ptr asm "", "=r,0"(ptr %{x}on)'
        for x in form.arrays
    )


def _result(form: _Form) -> str:
    """IR that joins what was read and puts it into the block, so that no load can be left out."""
    joins = [f"  %j{u} = or {form.words} {'%n0' if u == 1 else f'%j{u - 1}'}, %n{u}" for u in range(1, UNROLL)]
    place = f"  %out = getelementptr i64, ptr %block, i64 {RESULT_WORD}"
    return "\n".join([*joins, place, f"  store {form.words} %j{UNROLL - 1}, ptr %out, align 8"])


def _fence() -> str:
    """IR that waits for streaming stores, without which the clock would stop before the bytes have left."""
    if platform.machine() == "x86_64":
        return "  call void @llvm.x86.sse.sfence()"
    return "  fence seq_cst"


def _arguments() -> str:
    """IR that reads the block's words into ``%a``, ``%b``, ``%c``, ``%n`` and ``%repeats``."""
    lines = []
    for word, (kind, name) in enumerate([("ptr", "a"), ("ptr", "b"), ("ptr", "c"), ("i64", "n"), ("i64", "repeats")]):
        lines += [f"  %{name}w = getelementptr i64, ptr %block, i64 {word}", f"  %{name} = load {kind}, ptr %{name}w"]
    return "\n".join(lines)


def source(mix: str, vector_bytes: int) -> str:
    """IR of ``void move(block)``: block = {a, b, c, bytes of each array, repeats, 3 unused words, result}.

    The arrays start on 64-byte boundaries and are whole trips (``UNROLL * vector_bytes``) long. One call
    sweeps over them ``repeats`` times (once when that is 0): a sweep over 4 KiB lasts 20 ns, beside which
    the call and the loop's end would count, so one call should move 64 KiB or more. An empty statement that
    may touch any memory stands between sweeps and keeps each of them. ``read`` leaves the OR of all it
    loaded, lane by lane, in the result (one vector).
    """
    form = _Form(LOOPS[mix], vector_bytes)
    first = form.arrays[0]
    phis = [f"  %{x}at = phi ptr [%{x}, %sweep], [%{x}next, %loop]" for x in form.arrays]
    if form.only_reads:
        phis += [f"  %r{u} = phi {form.words} [zeroinitializer, %sweep], [%n{u}, %loop]" for u in range(UNROLL)]
    vec, lanes, bits = form.floats, vector_bytes // 4, 8 * vector_bytes
    return f"""
declare void @llvm.x86.sse.sfence()
define void @move(ptr %block) "min-legal-vector-width"="{bits}" "prefer-vector-width"="{bits}" {{
entry:
{_arguments()}
  %end = getelementptr i8, ptr %{first}, i64 %n
  %one = insertelement {vec} poison, float 0.5, i32 0
  %half = shufflevector {vec} %one, {vec} poison, <{lanes} x i32> zeroinitializer
  br label %sweep
sweep:
  %done = phi i64 [0, %entry], [%swept, %finished]
  br label %loop
loop:
{chr(10).join(phis)}
{_body(form)}
{_onward(form)}
  %more = icmp ult ptr %{first}next, %end
  br i1 %more, label %loop, label %finished
finished:
{_result(form) if form.only_reads else ""}
  call void asm sideeffect "", "~{{memory}}"()
  %swept = add i64 %done, 1
  %again = icmp slt i64 %swept, %repeats
  br i1 %again, label %sweep, label %leave
leave:
{_fence() if form.mix.streaming else ""}
  ret void
}}
!0 = !{{i32 1}}
"""


@cache
def compiled(mix: str, vector_bytes: int = 0) -> Code:
    """The code of ``mix`` in vectors of ``vector_bytes`` (0: the widest of this host); see ``source``.

    Raises KeyError for a mix that is not in ``LOOPS``.
    """
    return compile_ir(source(mix, vector_bytes or widths()[0]))
