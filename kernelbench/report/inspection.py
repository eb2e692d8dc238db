"""The hot loop of a kernel as text for the terminal: what it is, what it consists of, what it takes."""

import textwrap
from collections.abc import Sequence

from msgspec import UnsetType

from kernelbench.model.inspection import Inspection
from kernelbench.report.text import clip, safe_text
from kernelbench.units import hertz, percent, seconds, three_digits

WIDTHS = ("zmm", "ymm", "xmm", "scalar")
BITS = {"zmm": "zmm (512 bits)", "ymm": "ymm (256 bits)", "xmm": "xmm (128 bits)", "scalar": "one number at a time"}
LABEL = 12
"""Columns of the words on the left."""
MOST_REMARKS = 6
NEARLY_ALL = 0.9
"""Share of all instructions from which the call's time is the loop's."""
WORTH_TELLING = 0.01
FUNCTION = 24
"""Columns of a function's name at most."""
FIGURES = 49
"""Columns of what is told of a loop beside its name."""
NARROW = 24
"""A column of notes is left out where it would have less room than this."""


def render(found: Inspection, *, width: int = 80, listing: bool = True) -> str:
    """One inspection, at most ``width`` columns; with the loop's own lines where ``listing``."""
    blocks = [_head(found, width), _histogram(found), _cycles(found, width), _others(found, width)]
    if found.remarks:
        blocks.append(_remarks(found, width))
    if listing:
        blocks.append(_listing(found, width))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def title(found: Inspection) -> str:
    """ "relu/vectorized f32 n=16384, isa avx2"."""
    case = found.case
    sizes = " ".join(f"{name}={value}" for name, value in case.settings.items())
    threads = f", {case.threads} threads" if case.threads > 1 else ""
    level = "" if case.isa == "native" else f", isa {case.isa}"
    return safe_text(f"{case.variant} {case.dtype} {sizes}{threads}{level}")


def operations(found: Inspection) -> str:
    """ "FLOP", or "OP" where it computes on integers only."""
    return "OP" if found.mix.int_ops and not found.mix.flop else "FLOP"


def _head(found: Inspection, width: int) -> list[str]:
    place = ", ".join(filter(None, (found.function, found.where, found.label)))
    lines = [title(found), *_entry("hot loop", place, width)]
    if isinstance(found.iterations, UnsetType) or isinstance(found.share, UnsetType):
        text = f"not counted ({found.uncounted}): the loop that looks like the one that does the work"
    else:
        text = (
            f"{found.iterations:,} iterations a call: {percent(found.share)} of the instructions it executes"
            f"{_of_work(found)}; depth {found.depth}, {found.loops} innermost loop{'s' if found.loops > 1 else ''}"
        )
    lines += _entry("counted", text, width)
    verdict = "vectorized: yes" if found.vectorized else "vectorized: no"
    lines += _entry("width", f"{BITS[found.mix.width]}; {verdict}", width)
    for number, reason in enumerate(found.reasons):
        lines += _entry("because" if not number else "", reason, width)
    return lines + _entry("iteration", _work(found), width)


def _of_work(found: Inspection) -> str:
    """ ", 98.2% of its FLOP"."""
    own = next((one.work_share for one in found.ran if one.label == found.label), 0.0)
    return f", {percent(own)} of its {operations(found)}" if own else ""


def _work(found: Inspection) -> str:
    mix = found.mix
    moved = f"{int(mix.load_bytes)} B loaded, {int(mix.store_bytes)} B stored"
    text = f"{three_digits(mix.operations)} {operations(found)}, {moved}"
    if not isinstance(mix.per_byte, UnsetType):
        text += f": {three_digits(mix.per_byte)} {operations(found)}/B in the loop"
    return text + (f"; {int(mix.stack_bytes)} B of stack" if mix.stack_bytes else "")


def _histogram(found: Inspection) -> list[str]:
    counts = found.mix.counts
    used = [width for width in WIDTHS if any(width in row for row in counts.values())]
    lines = [f"{'instruction':<{LABEL}}" + "".join(f"{width:>8}" for width in used)]
    for kind, row in counts.items():
        lines.append(f"{kind:<{LABEL}}" + "".join(f"{row.get(width) or '':>8}" for width in used))
    return [line.rstrip() for line in lines] + [f"{found.mix.instructions} instructions an iteration"]


def _cycles(found: Inspection, width: int) -> list[str]:
    lines = ["cycles per iteration"]
    lines += _entry("  measured", measured(found), width)
    lines += _entry("  OSACA", predicted(found), width)
    if not isinstance(found.foreseen, UnsetType):
        pressure = "  ".join(f"{port}: {three_digits(cycles)}" for port, cycles in found.foreseen.pressure.items())
        lines += _entry("  ports", pressure, width)
        if found.foreseen.unknown:
            names = ", ".join(dict.fromkeys(text.split()[0] for text in found.foreseen.unknown))
            lines += _entry("  unknown", f"to OSACA, and left out of its cycles: {names}", width)
    if found.chains:
        chain = found.chains[0]
        on_it = f"{len(chain.instructions)} dependent instruction{'s' if len(chain.instructions) > 1 else ''}"
        text = f"{three_digits(chain.cycles)} at least by latency ({found.latencies}): {on_it} ({chain.kind})"
        lines += _entry("  chain", f"{text}, such as {chain.instructions[0]}", width)
    return lines


def _others(found: Inspection, width: int) -> list[str]:
    """The loops that a loops run, where the hot one is not nearly all of it."""
    if isinstance(found.share, UnsetType) or found.share >= NEARLY_ALL:
        return []
    names = max(len("loops run"), min(FUNCTION, width - FIGURES))
    lines = [f"{'loops run':<{names}} {'':<10} {'width':>6} {'iterations':>13} {'executed':>8} {'of work':>7}"]
    for one in found.ran:
        if one.share >= WORTH_TELLING:
            name = clip(one.function.rsplit(".", 1)[-1], names)
            shares = f"{percent(one.share):>8} {percent(one.work_share):>7}"
            lines.append(f"{name:<{names}} {one.label:<10} {one.width:>6} {one.iterations:>13,} {shares}")
    return [safe_text(line) for line in lines]


def measured(found: Inspection) -> str:
    """ "18.9 (1.32 us a call at 3.65 GHz)", or why not."""
    if isinstance(found.call_s, UnsetType):
        return f"not timed: {found.untimed}"
    call = f"{seconds(found.call_s)} a call"
    if isinstance(found.clock_hz, UnsetType):
        return f"{call}; {found.untimed}"
    if isinstance(found.cycles, UnsetType):
        return f"{call} at {hertz(found.clock_hz)}; the iterations are not counted"
    text = f"{three_digits(found.cycles)} (all of {call} at {hertz(found.clock_hz)}, shared out over the iterations)"
    if not isinstance(found.share, UnsetType) and found.share < NEARLY_ALL:
        own = three_digits(found.cycles * found.share)
        text += f"; {own} if every instruction of the call took as long, for the rest is other code"
    return text


def predicted(found: Inspection) -> str:
    """ "8.00 on ZEN4 (busiest port 13)", or why not."""
    seen = found.foreseen
    if isinstance(seen, UnsetType):
        return f"no prediction: {found.unforeseen}"
    busiest = max(seen.pressure, key=lambda port: seen.pressure[port], default="")
    if seen.chain_cycles >= seen.cycles:
        why = f"its chain around the loop; busiest port {busiest}: {three_digits(seen.pressure.get(busiest, 0.0))}"
    else:
        why = f"port {busiest}; its chain around the loop: {three_digits(seen.chain_cycles)}"
    return f"{three_digits(seen.cycles)} on {seen.architecture} ({why})"


def _remarks(found: Inspection, width: int) -> list[str]:
    """What LLVM said, each sentence once, the hot loop's first."""
    said = {f"{one.where + ': ' if one.where else ''}{one.text}": one.of_hot_loop for one in found.remarks}
    lines = ["what LLVM's vectoriser said (* of the hot loop)"]
    for text, hot in list(said.items())[:MOST_REMARKS]:
        lines += _entry("  *" if hot else "", text, width, columns=4)
    left = len(said) - MOST_REMARKS
    return lines + ([f"    and {left} more; --json has them all"] if left > 0 else [])


def _listing(found: Inspection, width: int) -> list[str]:
    code = max((len(line.text) for line in found.lines), default=0) + 2
    room = width - code - 2
    if room < NARROW:
        code, room = width, 0
    lines = []
    for line in found.lines:
        text = line.text if line.text.endswith(":") else f"  {line.text}"
        shown = safe_text(clip(text, code))
        noted = f"{shown:<{code}}  {clip(line.note, room)}" if room and line.note else shown
        lines.append(noted.rstrip())
    return lines


def _entry(label: str, text: str, width: int, *, columns: int = LABEL) -> list[str]:
    wrapped = textwrap.wrap(safe_text(text), max(20, width - columns), break_long_words=True) or [""]
    return [f"{label:<{columns}}{wrapped[0]}".rstrip(), *(f"{'':<{columns}}{part}" for part in wrapped[1:])]


def titles(found: Sequence[Inspection]) -> list[str]:
    """What tells several inspections apart: the variant, the level, or both."""
    variants = len({one.case.variant for one in found}) > 1
    levels = len({one.case.isa for one in found}) > 1
    named = [" ".join(filter(None, (one.case.variant * variants, one.case.isa * levels))) for one in found]
    return [safe_text(name or one.case.id) for name, one in zip(named, found, strict=True)]
