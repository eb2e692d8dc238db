"""What /proc/cpuinfo says, for x86 and ARM alike."""

import re

from msgspec import Struct

from kernelbench.machine.tree import Tree
from kernelbench.model import Unknown

#: ARM implementer codes (Linux arch/arm64/include/asm/cputype.h).
IMPLEMENTERS = {
    "0x41": "ARM",
    "0x42": "Broadcom",
    "0x43": "Cavium",
    "0x46": "Fujitsu",
    "0x48": "HiSilicon",
    "0x4e": "NVIDIA",
    "0x50": "APM",
    "0x51": "Qualcomm",
    "0x53": "Samsung",
    "0x61": "Apple",
    "0x6d": "Microsoft",
    "0xc0": "Ampere",
}


class CpuInfo(Struct, frozen=True):
    """/proc/cpuinfo: one dictionary per logical CPU, keys in lower case."""

    blocks: tuple[dict[str, str], ...]
    unread: str = ""
    """Why there are no blocks; empty when there are."""

    def value(self, key: str) -> str | Unknown:
        """``key`` of the first CPU."""
        found = self.blocks[0].get(key, "") if self.blocks else ""
        return found or Unknown(self.unread or f"/proc/cpuinfo has no {key!r}")

    @property
    def architecture(self) -> str:
        """As ``uname -m`` would say it, judged by which keys are there; "unknown" when none tells."""
        first = self.blocks[0] if self.blocks else {}
        if "cpu implementer" in first:
            return "aarch64" if first.get("cpu architecture", "8") == "8" else "armv7l"
        if "flags" in first:
            return "x86_64" if "lm" in first["flags"].split() else "i686"
        return "riscv64" if first.get("isa", "").startswith("rv64") else "unknown"

    @property
    def flags(self) -> frozenset[str] | Unknown:
        """CPU flags that every CPU has (a hybrid machine can only rely on those)."""
        texts = {block.get("flags", block.get("features", "")) for block in self.blocks}
        common = frozenset.intersection(*(frozenset(text.split()) for text in texts)) if texts else frozenset()
        return common or Unknown(self.unread or "/proc/cpuinfo lists no flags")

    @property
    def vendor(self) -> str | Unknown:
        """ "AuthenticAMD", "GenuineIntel", "ARM"..."""
        code = self.value("cpu implementer")
        if isinstance(code, Unknown):
            return self.value("vendor_id")
        return IMPLEMENTERS.get(code, f"implementer {code}")

    @property
    def signature(self) -> str | Unknown:
        """x86 "family-model-stepping", ARM "implementer-part-variant-revision" ("+" joins several kinds)."""
        arm = ("cpu implementer", "cpu part", "cpu variant", "cpu revision")
        x86 = ("cpu family", "model", "stepping")
        keys = arm if self.blocks and arm[0] in self.blocks[0] else x86
        seen = ["-".join(block[key] for key in keys) for block in self.blocks if all(block.get(key) for key in keys)]
        return "+".join(dict.fromkeys(seen)) or Unknown(self.unread or f"/proc/cpuinfo lacks {', '.join(keys)}")

    @property
    def parts(self) -> dict[int, str]:
        """ARM design of each CPU ("0x41-0xd87"); empty elsewhere."""
        keys = ("processor", "cpu implementer", "cpu part")
        rows = [row for row in self.blocks if all(row.get(key) for key in keys) and is_number(row["processor"])]
        return {int(row["processor"]): f"{row['cpu implementer']}-{row['cpu part']}" for row in rows}


def read(tree: Tree) -> CpuInfo:
    """Parse /proc/cpuinfo; text that is not "key : value" is left out."""
    text = tree.text("proc/cpuinfo")
    if isinstance(text, Unknown):
        return CpuInfo((), text.unknown)
    blocks = tuple(block for block in map(_block, re.split(r"\n\s*\n", text)) if block)
    return CpuInfo(blocks, "" if blocks else "/proc/cpuinfo holds no 'key : value' lines")


def is_number(text: str) -> bool:
    """Whether ``text`` is a CPU, core or package number."""
    return re.fullmatch("[0-9]{1,6}", text) is not None


def _block(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {_printable(key).lower(): _printable(value) for key, _, value in pairs}


def _printable(text: str) -> str:
    """Names reach the terminal and file: control characters of a damaged file must not."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
