"""One x86-64 instruction in AT&T syntax: what kind it is, how wide, what it computes, loads and stores.

Names follow Intel's manual (SDM volume 2) with LLVM's size suffixes. A multiply-add is two operations; a minimum or
maximum is one, as in the catalogue's work models.
"""

import re

from msgspec import Struct

KINDS = (
    "fma",
    "dot",
    "add/mul",
    "divide",
    "compare",
    "bitwise",
    "shuffle",
    "convert",
    "gather",
    "scatter",
    "load",
    "store",
    "spill",
    "move",
    "integer",
    "branch",
    "call",
    "other",
)
"""Every kind, in the order of a histogram's rows. "compare" holds min, max, compares and selects; "spill" is stack
traffic of any sort; "integer" is arithmetic and addressing, in vectors as well as in general registers."""

WIDTHS = ("zmm", "ymm", "xmm", "scalar")
"""Widths, widest first. "scalar" is one number, whatever register holds it."""

REGISTER_BYTES = {"zmm": 64, "ymm": 32, "xmm": 16}

_OPERAND = re.compile(r"\*?[^,()]*\([^)]*\)(?:\{[^}]*\})?|[^,]+")
_VECTOR = re.compile(r"%([xyz]mm)\d+")
_ONE_NUMBER = re.compile(r"(?!v?p|vbroadcast)\w*s[sdh](2\w+)?|v?mov[dq]|v?cvt\w*2s[sdi]\w*|v?cvtt?s[sdi]2\w+")
_ELEMENTS = {"ps": 4, "pd": 8, "ss": 4, "sd": 8, "ph": 2, "sh": 2}

_RULES: tuple[tuple[str, str], ...] = (
    ("fma", r"vfn?m(add|sub|addsub|subadd)\w*"),
    ("dot", r"vpdp\w+|vdpbf16ps|v?pmaddubsw|v?pmaddwd|vpmadd52\w+"),
    ("gather", r"vp?gather\w+"),
    ("scatter", r"vp?scatter\w+"),
    ("divide", r"v?(div|sqrt|rcp\d*|rsqrt\d*)[ps][sdh]|i?div[bwlq]?"),
    ("add/mul", r"v?(add|sub|mul|addsub|hadd|hsub|dp|scalef)[ps][sdh]"),
    ("compare", r"v?(min|max)[ps][sdh]|v?p(min|max)\w+|v?cmp\w*[ps][sdh]|v?u?comis[sd]|v?pcmp\w+"),
    ("compare", r"vp?test\w+|ptest|v?p?blend\w+|vpblendm\w+|vfpclass\w+|k(?!$)\w+[bwdq]|vrange\w+"),
    ("convert", r"v?cvt\w+|v?pmov[sz]x\w+|vpmovu?s?[bwdq][bwd]|v?round[ps][sd]|vrndscale\w+|vreduce\w+"),
    ("convert", r"vget(exp|mant)\w+"),
    ("bitwise", r"v?(andn?|x?or)p[sd]|v?p(andn?|x?or)[dq]?|vpternlog\w+|v?ps(ll|rl|ra)v?[wdq]|vpro[lr]v?[dq]"),
    ("bitwise", r"vpsh[lr]dv?[wdq]"),
    ("shuffle", r"v?(shuf|unpck|perm|pshuf|punpck|pack|palign|align|insert|extract|pinsr|pextr)\w+"),
    ("shuffle", r"vp(erm|compress|expand)\w+|v(compress|expand|broadcast|pbroadcast)\w+|v?ps[lr]ldq|valign\w+"),
    ("shuffle", r"v?mov(s[hl]dup|ddup|hlps|lhps|mskp[sd])|v?pmovmskb|vpmov[bwdq]2m|vpmovm2[bwdq]"),
    ("move", r"v?mov(ap|up|hp|lp|ntp)[sd]|v?mov(ss|sd|d|q)|v?mov(dq|ntdq)\w+|v?lddqu"),
    ("integer", r"v?p(add|sub|mul|abs|avg|sad|sign|hadd|hsub|lzcnt|opcnt)\w*"),
    ("branch", r"j\w+|ret[lq]?|loop\w*"),
    ("call", r"call[q]?"),
    ("other", r"prefetch\w+|nop\w*|vzero\w+|[lms]fence|ud2|pause|endbr64|clflush\w*"),
    ("spill", r"push[q]?|pop[q]?"),
    ("move", r"mov(abs)?[bwlq]?|mov[sz][bwl][wlq]|movnti[lq]?|cmov\w+"),
    ("integer", r"\w+"),
)
_COMPILED = tuple((kind, re.compile(rule)) for kind, rule in _RULES)

_BROADCAST_BYTES = (
    (r"vpbroadcastb|v?pinsrb|v?pextrb", 1),
    (r"vpbroadcastw|v?pinsrw|v?pextrw", 2),
    (r"vbroadcastss|vpbroadcastd|v?pinsrd|v?pextrd|v?insertps|v?extractps|v?movd|vcvtsi2s[sd]l|cvtsi2s[sd]l", 4),
    (r"vbroadcastsd|vpbroadcastq|v?pinsrq|v?pextrq|v?movq|v?mov[hl]p[sd]|v?cvtsi2s[sd]q|v?broadcast[fi]32x2", 8),
    (r"v(broadcast|insert|extract)([fi]128|[fi]32x4|[fi]64x2)", 16),
    (r"v(broadcast|insert|extract)([fi]32x8|[fi]64x4)", 32),
)
_NARROWER = (
    (r"v?pmov[sz]x(bw|wd|dq)|vpmovu?s?(wb|dw|qd)|vcvt(ps2pd|dq2pd|udq2pd|ph2ps|ps2ph)", 2),
    (r"v?pmov[sz]x(bd|wq)|vpmovu?s?(db|qw)", 4),
    (r"v?pmov[sz]xbq|vpmovu?s?qb", 8),
)
_DOT_OPS_PER_BYTE = (
    (r"vpdpb\w+", 2.0),
    (r"vpdpw\w+|vdpbf16ps|vpmadd52\w+", 1.0),
    (r"v?pmaddubsw", 1.5),
    (r"v?pmaddwd", 0.75),
)
"""Per byte of the result's register: vpdpbusd does 4 multiplies and 4 adds for each dword."""


class Instruction(Struct, frozen=True):
    """One instruction, understood."""

    text: str
    """As LLVM printed it, one blank between words."""
    mnemonic: str
    operands: tuple[str, ...]
    """In AT&T order: the destination last."""
    kind: str
    """One of ``KINDS``: what it computes; one that only moves says "load", "store", "spill" or "move"."""
    width: str
    """One of ``WIDTHS``."""
    flop: float = 0.0
    """Floating-point operations, over all lanes."""
    int_ops: float = 0.0
    """Integer operations in vector lanes; those in general registers are bookkeeping."""
    load_bytes: float = 0.0
    store_bytes: float = 0.0
    stack: bool = False
    """Whether the memory it touches is the stack."""

    @property
    def memory(self) -> str:
        """The operand in memory; empty without one, and for an address that is only computed."""
        if self.mnemonic.startswith(("lea", "nop", "j", "call", "prefetch")):
            return ""
        return next((operand for operand in self.operands if "(" in operand), "")


def parse(line: str) -> Instruction:
    """The instruction in ``line``, which has neither label nor comment."""
    mnemonic, _, rest = " ".join(line.split()).partition(" ")
    if mnemonic in ("lock", "rep", "notrack"):
        mnemonic, _, rest = rest.partition(" ")
    operands = tuple(part.strip() for part in _OPERAND.findall(rest) if part.strip())
    kind = next(kind for kind, rule in _COMPILED if rule.fullmatch(mnemonic))
    bare = Instruction(" ".join(line.split()), mnemonic, operands, kind, _width(mnemonic, operands))
    loads, stores = _moved(bare)
    stack = bool(re.search(r"\(%rsp", bare.memory)) or mnemonic.startswith(("push", "pop"))
    flop, int_ops = _operations(bare)
    return Instruction(
        bare.text, mnemonic, operands, _settled(bare, stack), bare.width, flop, int_ops, loads, stores, stack
    )


def _settled(found: Instruction, stack: bool) -> str:
    """Moves by where they go; the rest is what it computes."""
    only_moves = found.kind == "move" or (found.kind == "shuffle" and "broadcast" in found.mnemonic)
    if found.memory and only_moves:
        stores = "(" in found.operands[-1]
        return "spill" if stack else ("store" if stores else "load")
    # General registers: a copy is bookkeeping like the additions beside it.
    return "integer" if found.kind == "move" and found.width == "scalar" and "%xmm" not in found.text else found.kind


def _width(mnemonic: str, operands: tuple[str, ...]) -> str:
    text = " ".join(operands)
    if _ONE_NUMBER.fullmatch(mnemonic):
        return "scalar"
    found = set(_VECTOR.findall(text))
    return next((width for width in WIDTHS if width in found), "scalar")


def _widest_bytes(found: Instruction) -> int:
    return REGISTER_BYTES.get(found.width, 0)


def _moved(found: Instruction) -> tuple[float, float]:
    """(bytes loaded, bytes stored)."""
    if found.mnemonic.startswith(("push", "pop")):
        return (8.0, 0.0) if found.mnemonic.startswith("pop") else (0.0, 8.0)
    memory = found.memory
    if not memory:
        return 0.0, 0.0
    size = _memory_bytes(found, memory)
    if memory != found.operands[-1]:
        return size, 0.0
    if found.mnemonic.startswith(("cmp", "test", "bt")):
        return size, 0.0
    if found.kind == "integer" and found.width == "scalar" and not found.mnemonic.startswith("set"):
        return (0.0 if found.mnemonic.startswith("mov") else size), size
    only_reads = len(found.operands) == 1 and found.mnemonic.startswith(("div", "idiv", "mul"))
    return (size, 0.0) if only_reads else (0.0, size)


def _memory_bytes(found: Instruction, memory: str) -> float:
    width, mnemonic = _widest_bytes(found), found.mnemonic
    spread = re.search(r"\{1to(\d+)\}", found.text)
    if spread:
        return width / int(spread.group(1))
    for rule, size in _BROADCAST_BYTES:
        if re.fullmatch(rule, mnemonic):
            return float(size)
    for rule, ratio in _NARROWER:
        if re.fullmatch(rule, mnemonic):
            return width / ratio
    element = re.search(r"(s[sdh])(2\w+)?$", mnemonic)
    if found.width == "scalar" and element and found.kind not in ("integer", "branch"):
        return float(_ELEMENTS.get(element.group(1), 4))
    if width:
        return float(width)
    extended = re.fullmatch(r"mov[sz]([bwl])[wlq]", mnemonic)
    return {"b": 1.0, "w": 2.0, "l": 4.0}.get(extended.group(1) if extended else mnemonic[-1], 8.0)


def _operations(found: Instruction) -> tuple[float, float]:
    """(FLOP, integer operations) over all lanes."""
    width, mnemonic = _widest_bytes(found), found.mnemonic
    element = re.search(r"([ps][sdh])$", mnemonic)
    if found.kind in ("fma", "add/mul", "divide", "compare") and element:
        if found.kind == "compare" and "min" not in mnemonic and "max" not in mnemonic:
            return 0.0, 0.0
        lanes = width / _ELEMENTS[element.group(1)] if element.group(1)[0] == "p" else 1.0
        return (2.0 if found.kind == "fma" else 1.0) * lanes, 0.0
    if found.kind == "dot":
        each = next((ops for rule, ops in _DOT_OPS_PER_BYTE if re.fullmatch(rule, mnemonic)), 1.0)
        return (each * width, 0.0) if "bf16" in mnemonic else (0.0, each * width)
    lane = re.fullmatch(r"v?p(?:add|sub|mul|min|max)\w*?([bwdq])", mnemonic)
    if lane and width:
        return 0.0, width / {"b": 1, "w": 2, "d": 4, "q": 8}[lane.group(1)]
    return 0.0, 0.0
