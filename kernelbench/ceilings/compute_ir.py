"""The peak loops as LLVM IR: independent chains of one instruction, as many as asked for.

``void peak(block)``, block = {i64 trips, i64 seed, result vector of up to 64 bytes}. Every chain starts at the seed x
and stays bounded, neither zero nor denormal (zeros draw less power and would flatter the clock):
  fma   a -> a + x x, ...         and in a trip's last step all the way back, exactly with x = 1/2
  mul   a -> a x, a / x           in turn, where multiplying and adding are two instructions
  add   a -> a + x, a - x         in turn
  dot   a -> a + x . x            bytes: 32-bit sums that wrap
        a -> a + x . x, a - x . x bf16, in turn
All chains are summed into the result, so that none can be left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

_ELEMENT = {"f64": ("double", "f64"), "f32": ("float", "f32"), "bf16": ("float", "f32"), "i8": ("i32", "i32")}
"""Factors -> accumulator's type in IR, and in the names of intrinsics."""

_STEP = {
    # The sum is the accumulator, as NEON's two-operand form has it: another order would cost a move in every step.
    "fma": "{out} = call {v} @llvm.fma.{s}({v} %x, {v} {factor}, {v} {acc})",
    "mul": "{out} = fmul {v} {acc}, {factor}",
    "add": "{out} = {plus_or_minus} {v} {acc}, %x",
    # The operands are <n x i32>: that form is upgraded by old and new LLVM alike.
    "vpdpbusd": "{out} = call {v} @llvm.x86.avx512.vpdpbusd.{width}({v} {acc}, {v} %x, {v} %x)",
    "vdpbf16ps": "{out} = call {v} @llvm.x86.avx512bf16.dpbf16ps.{width}({v} {acc}, {b} %bits, {b} {signed})",
    "sdot": "{out} = call {v} @llvm.aarch64.neon.sdot.{s}.{bytes_s}({v} {acc}, {bytes} %bytes, {bytes} %bytes)",
    "bfdot": "{out} = call {v} @llvm.aarch64.neon.bfdot.{s}.{pairs_s}({v} {acc}, {pairs} %pos, {pairs} {signed})",
    # Equal factors in every step: an empty asm hides that, or their product would be made once for all.
    "maddubs": '{hidden} = call {bytes} asm "", "=v,0"({bytes} {seen})\n'
    "  {out}.p = call {shorts} @llvm.x86.{pmaddubsw}({bytes} {hidden}, {bytes} {hidden})\n"
    "  {out}.q = call {v} @llvm.x86.{pmaddwd}({shorts} {out}.p, {shorts} splat (i16 1))\n"
    "  {out} = add {v} {acc}, {out}.q",
}
_DECLARED = {
    "fma": "declare {v} @llvm.fma.{s}({v}, {v}, {v})",
    "vpdpbusd": "declare {v} @llvm.x86.avx512.vpdpbusd.{width}({v}, {v}, {v})",
    "vdpbf16ps": "declare {v} @llvm.x86.avx512bf16.dpbf16ps.{width}({v}, {b}, {b})",
    "sdot": "declare {v} @llvm.aarch64.neon.sdot.{s}.{bytes_s}({v}, {bytes}, {bytes})",
    "bfdot": "declare {v} @llvm.aarch64.neon.bfdot.{s}.{pairs_s}({v}, {pairs}, {pairs})",
    "maddubs": "declare {shorts} @llvm.x86.{pmaddubsw}({bytes}, {bytes})\n"
    "declare {v} @llvm.x86.{pmaddwd}({shorts}, {shorts})",
}
_FLIPPED = "{b} %bits, splat (i32 u0x80008000)"
"""Both bf16 numbers of a pair with their signs turned."""
_PREPARED = {
    "fma": "  %back = fmul {v} %x, {minus}",
    "mul": "  %back = fdiv {v} {unit}, %x",
    "vdpbf16ps": f"  %neg = xor {_FLIPPED}",
    "sdot": "  %bytes = bitcast {b} %bits to {bytes}",
    "bfdot": f"  %pos = bitcast {{b}} %bits to {{pairs}}\n  %turned = xor {_FLIPPED}\n"
    "  %neg = bitcast {b} %turned to {pairs}",
    "maddubs": "  %bytes = bitcast {b} %bits to {bytes}",
}
_BYTE_PRODUCTS = {
    128: ("ssse3.pmadd.ub.sw.128", "sse2.pmadd.wd"),
    256: ("avx2.pmadd.ub.sw", "avx2.pmadd.wd"),
    512: ("avx512.pmaddubs.w.512", "avx512.pmaddw.d.512"),
}


class Form(Struct, frozen=True):
    """What a loop is made of."""

    dtype: str
    """Type of the factors, "f64", "f32", "bf16" (summed in f32) or "i8" (summed in 32-bit integers)."""
    lanes: int
    """Accumulator lanes of one instruction; 1 is scalar code."""
    way: str
    """How a step is done: "fma", "mul", "add", "vpdpbusd", "vdpbf16ps", "maddubs", "sdot" or "bfdot"."""
    of_four: int = 4
    """Of every four chains asked for, how many go this way."""
    adders: int = 0
    """For every four asked for, how many chains of plain adds run beside them; the two may sum to other than four."""
    steps: int = 2
    """Steps of a chain in one trip: there and back again."""
    adder_steps: int = 2
    """The same for plain adds (even)."""

    def chains(self, asked: int) -> int:
        """Chains that go the form's way when ``asked``, a multiple of 4, are wanted."""
        return asked * self.of_four // 4

    def adding_chains(self, asked: int) -> int:
        """Chains of plain adds beside them."""
        return asked * self.adders // 4


def source(form: Form, asked: int) -> str:
    """IR of ``void peak(block)`` with ``asked`` chains (a multiple of 4), shared out as ``form`` says."""
    words = _words(form)
    chains = form.chains(asked)
    ends = [("a", c, form.steps) for c in range(chains)]
    ends += [("b", c, form.adder_steps) for c in range(form.adding_chains(asked))]
    phis = [f"  %{n}{c}.0 = phi {words['v']} [%x, %entry], [%{n}{c}.{last}, %loop]" for n, c, last in ends]
    if form.way == "maddubs":
        phis.append(f"  %h0 = phi {words['bytes']} [%bytes, %entry], [%h{chains * form.steps}, %loop]")
    sums, total = _sum(form, words["v"], [f"%{n}{c}.{last}" for n, c, last in ends])
    return f"""
{_DECLARED.get(form.way, "").format(**words)}
define void @peak(ptr %block) "min-legal-vector-width"="{words["width"]}" "prefer-vector-width"="{words["width"]}" {{
entry:
  %trips = load i64, ptr %block
{_start(form, words)}
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
{chr(10).join(phis)}
{chr(10).join(_trip(form, words, asked))}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %trips
  br i1 %more, label %loop, label %done
done:
{chr(10).join(sums)}
  %out = getelementptr i64, ptr %block, i64 2
  store {words["v"]} {total}, ptr %out, align 8
  ret void
}}
"""


def _words(form: Form) -> dict[str, str]:
    """Types and names of intrinsics that the templates are filled with."""
    element, short = _ELEMENT[form.dtype]
    size = int(short[1:])
    width = form.lanes * size
    pmaddubsw, pmaddwd = _BYTE_PRODUCTS.get(width, ("", ""))
    scalar = form.lanes == 1
    numbers = {"minus": f"{1.0 - form.steps}", "unit": "1.0"}
    return {
        "v": element if scalar else f"<{form.lanes} x {element}>",
        "s": short if scalar else f"v{form.lanes}{short}",
        "b": f"i{size}" if scalar else f"<{form.lanes} x i{size}>",
        "seed": f"i{size}",
        **{name: text if scalar else f"splat ({element} {text})" for name, text in numbers.items()},
        "width": str(width),
        "bytes": f"<{width // 8} x i8>",
        "bytes_s": f"v{width // 8}i8",
        "shorts": f"<{width // 16} x i16>",
        "pairs": f"<{width // 16} x bfloat>",
        "pairs_s": f"v{width // 16}bf16",
        "pmaddubsw": pmaddubsw,
        "pmaddwd": pmaddwd,
    }


def _start(form: Form, words: dict[str, str]) -> str:
    """The seed in every lane as ``%x``, its bits as ``%bits``, and what the way derives from them."""
    spread = "  %bits = bitcast {b} %seed to {b}"
    if form.lanes > 1:
        spread = (
            "  %one = insertelement {b} poison, {seed} %seed, i32 0\n"
            f"  %bits = shufflevector {{b}} %one, {{b}} poison, <{form.lanes} x i32> zeroinitializer"
        )
    lines = [
        "  %seedat = getelementptr i64, ptr %block, i64 1",
        "  %seed = load {seed}, ptr %seedat",
        spread,
        "  %x = bitcast {b} %bits to {v}",
        _PREPARED.get(form.way, ""),
    ]
    return "\n".join(lines).format(**words)


def _trip(form: Form, words: dict[str, str], asked: int) -> Iterator[str]:
    """The steps of all chains in one trip, the adders' spread evenly among the others."""
    adding, chains = Form(form.dtype, form.lanes, "add"), form.chains(asked)
    for moment in range(form.steps * form.adder_steps):
        step, late = divmod(moment, form.adder_steps)
        if not late:
            for c in range(chains):
                yield _step(form, words, f"%a{c}", step, c + chains * step)
        step, late = divmod(moment, form.steps)
        if not late:
            for c in range(form.adding_chains(asked)):
                yield _step(adding, words, f"%b{c}", step, 0)


def _step(form: Form, words: dict[str, str], chain: str, step: int, serial: int) -> str:
    """One step of one chain; ``serial`` numbers the steps of the trip."""
    return "  " + _STEP[form.way].format(
        **words,
        acc=f"{chain}.{step}",
        out=f"{chain}.{step + 1}",
        plus_or_minus=("fadd", "fsub")[step % 2],
        factor="%x" if step < form.steps - 1 else "%back",
        signed=("%pos" if form.way == "bfdot" else "%bits", "%neg")[step % 2],
        seen=f"%h{serial}",
        hidden=f"%h{serial + 1}",
    )


def _sum(form: Form, vector: str, values: list[str]) -> tuple[list[str], str]:
    """Lines that add all ``values``, and the name of the sum: pair by pair, a short wait at the end of a call."""
    plus = "add" if form.dtype == "i8" else "fadd"
    lines: list[str] = []
    while len(values) > 1:
        first, second, *rest = values
        name = f"%s{len(lines)}"
        lines.append(f"  {name} = {plus} {vector} {first}, {second}")
        values = [*rest, name]
    return lines, values[0]
