"""What a machine is: every fact the detector reads, or why it is unknown."""

from msgspec import Struct

#: Instruction-set levels in rising order, per architecture; a level names what LLVM may emit.
ISA_LEVELS: dict[str, tuple[str, ...]] = {
    "x86_64": ("scalar", "sse2", "sse4.2", "avx2", "avx512"),
    "aarch64": ("scalar", "neon", "sve"),
}


class Unknown(Struct, frozen=True):
    """A fact that could not be had."""

    unknown: str
    """Why, in words for the user ("no cpufreq folder: KVM guest")."""

    def __str__(self) -> str:
        return f"unknown ({self.unknown})"


class IsaLevel(Struct, frozen=True):
    """One instruction-set level and whether code compiled for it may run here."""

    name: str
    """One of ``ISA_LEVELS``."""
    usable: bool
    """True when the CPU has it, the OS saves its registers and LLVM may emit it."""
    reason: str = ""
    """Why it is not usable; empty when it is."""


class Cpu(Struct, frozen=True):
    """The processor as it names itself."""

    model: str | Unknown
    """Marketing name ("AMD EPYC 7451 24-Core Processor")."""
    vendor: str | Unknown
    """"AuthenticAMD", "GenuineIntel", "ARM"..."""
    architecture: str
    """"x86_64", "aarch64"..., as ``uname -m`` says it."""
    microarchitecture: str | Unknown
    """Design name ("zen4", "alderlake", "neoverse_n1")."""
    signature: str | Unknown
    """Stable identity: x86 "family-model-stepping", ARM "implementer-part-variant-revision"."""
    features: tuple[str, ...] | Unknown
    """SIMD features that matter, normalised and sorted by width ("sse2"..."avx512_vnni", "amx_int8", "neon", "sve")."""
    isa_levels: tuple[IsaLevel, ...]
    """Every level of this architecture, usable or not."""
    llvm_name: str | Unknown
    """The CPU name LLVM compiles for ("znver4")."""


class Cache(Struct, frozen=True):
    """One kind of cache; caches of one level that differ (hybrid cores) are separate entries."""

    level: int
    """1 is nearest to the core."""
    kind: str
    """"data", "instruction" or "unified"."""
    size_bytes: int | Unknown
    """Capacity of one instance."""
    line_bytes: int | Unknown
    """Line size."""
    ways: int | Unknown
    """Associativity."""
    shared_by: tuple[str, ...]
    """One CPU list per instance ("0-1", "2-3"): who shares it. Empty when the OS does not say."""

    @property
    def name(self) -> str:
        """ "L1d", "L1i", "L2", "L3"."""
        return f"L{self.level}" + {"data": "d", "instruction": "i"}.get(self.kind, "")


class CoreKind(Struct, frozen=True):
    """One kind of core on a hybrid machine (one entry on an ordinary one)."""

    name: str
    """"performance", "efficiency", or "core" where all are alike."""
    cpus: str
    """CPU list ("0-11")."""
    max_hz: float | Unknown
    """Highest frequency the OS reports for this kind."""


class NumaNode(Struct, frozen=True):
    """One NUMA node."""

    id: int
    cpus: str
    """CPU list; empty for a memory-only node."""
    memory_bytes: int | Unknown


class Topology(Struct, frozen=True):
    """How many of what, and which CPU is where."""

    sockets: int | Unknown
    cores: int | Unknown
    threads: int
    """Online logical CPUs."""
    smt_siblings: tuple[str, ...]
    """One CPU list per physical core ("0,24"), in placement order: cores before SMT siblings."""
    kinds: tuple[CoreKind, ...]
    """Kinds of core; more than one means a hybrid machine."""
    numa: tuple[NumaNode, ...] | Unknown


class Memory(Struct, frozen=True):
    """Main memory."""

    total_bytes: int | Unknown
    available_bytes: int | Unknown
    swap_used_bytes: int | Unknown


class Frequency(Struct, frozen=True):
    """CPU frequency as the OS tells it; what is really run at is measured by clock probes."""

    min_hz: float | Unknown
    max_hz: float | Unknown
    current_hz: float | Unknown
    governor: str | Unknown
    boost: bool | Unknown


class Limits(Struct, frozen=True):
    """What limits this process."""

    affinity: str
    """CPU list this process may run on."""
    usable_threads: int
    """CPUs in the affinity mask, lowered by a cgroup quota (at least 1)."""
    cpu_quota: float | Unknown
    """cgroup quota in CPUs (1.5 = one and a half); Unknown("no limit") when there is none."""
    memory_limit_bytes: int | Unknown
    """Tightest cgroup memory limit."""
    huge_pages: str | Unknown
    """Transparent huge-page mode: "always", "madvise" or "never"."""
    shmem_huge_pages: str | Unknown
    """The same for shared memory."""


class HostLoad(Struct, frozen=True):
    """How busy the host was when asked."""

    runnable: int | Unknown
    """Tasks running or ready now (``procs_running``), this process included."""
    load_1min: float | Unknown
    steal_fraction: float | Unknown
    """Share of CPU time since boot that the hypervisor gave to others."""


class Library(Struct, frozen=True):
    """A BLAS or threading library loaded beside NumPy or Numba."""

    name: str
    """"openblas", "mkl", "libgomp"..."""
    version: str | Unknown
    threads: int | Unknown
    """Threads it would use."""
    file: str
    """File name only, no folder: folders name users."""
    detail: str = ""
    """Its own words: kernel architecture, threading layer."""


class Software(Struct, frozen=True):
    """What the numbers depend on beside the hardware."""

    os: str
    """"Linux 6.1.0"."""
    python: str
    packages: dict[str, str]
    """Version of each package that matters (numpy, numba, llvmlite...); absent ones left out."""
    blas: tuple[Library, ...] | Unknown
    """The BLAS behind NumPy."""
    thread_layer: str | Unknown
    """Numba's threading layer ("omp", "tbb", "workqueue")."""


class Machine(Struct, frozen=True):
    """Everything detected about one machine."""

    id: str
    """Fingerprint: 12 hex digits over the stable fields only (no MHz, no bogomips, no load)."""
    cpu: Cpu
    caches: tuple[Cache, ...] | Unknown
    topology: Topology
    memory: Memory
    frequency: Frequency
    limits: Limits
    virtualisation: str | Unknown
    """"none", "kvm", "vmware", "xen", "microsoft", "container"..."""
    counters: str | Unknown
    """"perf_event" when hardware counters work, else why not."""
    load: HostLoad
    software: Software
