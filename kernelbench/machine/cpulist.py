"""CPU lists as the kernel writes them: "0-3,8" (Documentation/admin-guide/cputopology.rst)."""

import re
from collections.abc import Iterable

#: Largest NR_CPUS a kernel can be built with is 8192; beyond this a text is damage, not a machine.
MOST_CPUS = 1 << 16


def parse(text: str) -> tuple[int, ...]:
    """CPU numbers in ``text``, rising, each once; "" has none.

    Raises ValueError naming what is not a CPU list.
    """
    found: set[int] = set()
    for part in text.strip().split(",") if text.strip() else ():
        match = re.fullmatch(r"\s*([0-9]{1,6})(?:-([0-9]{1,6}))?\s*", part)
        if not match:
            raise ValueError(f"{text[:30]!r} is not a CPU list such as '0-3,8'")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last >= MOST_CPUS:
            raise ValueError(f"{part[:30]!r} is not a range of CPUs below {MOST_CPUS}")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def parse_mask(text: str) -> tuple[int, ...]:
    """CPU numbers in a hexadecimal mask, most significant 32-bit word first ("00000000,0000000f").

    Raises ValueError naming what is not a mask.
    """
    if not re.fullmatch(r"[0-9a-fA-F]+(,[0-9a-fA-F]{8})*", text) or len(text) > MOST_CPUS // 2:
        raise ValueError(f"{text[:30]!r} is not a CPU mask such as '00000000,0000000f'")
    bits = int(text.replace(",", ""), 16)
    return tuple(cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1)


def format_cpus(cpus: Iterable[int]) -> str:
    """The shortest list text for ``cpus``: (0, 1, 2, 8) -> "0-2,8"."""
    ranges: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if ranges and cpu == ranges[-1][1] + 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
