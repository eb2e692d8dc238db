"""``kernelbench info``: the machine as detected, for people (80 columns) or as JSON."""

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import click

from kernelbench import units
from kernelbench.machine.cgroup import NO_LIMIT
from kernelbench.model import Cache, Library, Machine, Unknown

WIDTH = 80
LABEL_WIDTH = 18

#: (label, text) of one fact.
Line = tuple[str, str]


@click.command(name="info")
@click.option("--json", "as_json", is_flag=True, help="Print the machine as JSON and nothing else.")
def command(as_json: bool) -> None:
    """Show the machine: CPU, caches, limits, libraries."""
    import msgspec

    from kernelbench.machine import detect

    machine = detect()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(machine), indent=2).decode())
    else:
        click.echo(render(machine))


def render(machine: Machine) -> str:
    """The facts in sections, each line at most 80 columns; what is not known says why."""
    sections = (
        ("Processor", _processor(machine)),
        ("Cores", _cores(machine)),
        ("Caches (one instance each)", _caches(machine)),
        ("Memory", _memory(machine)),
        ("Limits of this process", _limits(machine)),
        ("Host", _host(machine)),
        ("Software", _software(machine)),
    )
    blocks = [f"Machine {machine.id}"]
    for title, lines in sections:
        blocks.append("\n".join([title, *(_wrapped(label, text) for label, text in lines)]))
    return "\n\n".join(blocks)


def _processor(machine: Machine) -> Iterator[Line]:
    cpu, frequency = machine.cpu, machine.frequency
    yield "model", str(cpu.model)
    yield "vendor", f"{cpu.vendor}, {cpu.architecture}, signature {cpu.signature}"
    yield "design", str(cpu.microarchitecture)
    yield "LLVM compiles for", str(cpu.llvm_name)
    yield "SIMD features", str(cpu.features) if isinstance(cpu.features, Unknown) else " ".join(cpu.features) or "none"
    yield "usable levels", " ".join(level.name for level in cpu.isa_levels if level.usable)
    for level in cpu.isa_levels:
        if not level.usable:
            yield f"no {level.name}", level.reason
    limits = (frequency.min_hz, frequency.max_hz)
    if isinstance(frequency.min_hz, Unknown) and frequency.min_hz == frequency.max_hz:
        yield "frequency range", str(frequency.min_hz)
    else:
        yield "frequency range", " to ".join(_shown(value, units.hertz) for value in limits)
    yield "frequency now", _shown(frequency.current_hz, units.hertz)
    yield "governor", str(frequency.governor)
    yield "boost", str(frequency.boost) if isinstance(frequency.boost, Unknown) else "on" if frequency.boost else "off"


def _cores(machine: Machine) -> Iterator[Line]:
    topology = machine.topology
    yield "sockets", str(topology.sockets)
    yield "physical cores", str(topology.cores)
    yield "logical CPUs", str(topology.threads)
    if len(topology.kinds) > 1:
        for kind in topology.kinds:
            yield kind.name, f"CPUs {kind.cpus}, up to {_shown(kind.max_hz, units.hertz)}"
    if isinstance(topology.numa, Unknown):
        yield "NUMA nodes", str(topology.numa)
        return
    yield "NUMA nodes", str(len(topology.numa))
    if len(topology.numa) > 1:
        for node in topology.numa:
            yield f"node {node.id}", f"CPUs {node.cpus or 'none'}, {_shown(node.memory_bytes, units.size_bytes)}"


def _caches(machine: Machine) -> Iterator[Line]:
    if isinstance(machine.caches, Unknown):
        yield "all", str(machine.caches)
        return
    for cache in machine.caches:
        size, line = _shown(cache.size_bytes, units.size_bytes), _shown(cache.line_bytes, units.size_bytes)
        ways = f"ways {cache.ways}" if isinstance(cache.ways, Unknown) else f"{cache.ways}-way"
        yield cache.name, f"{size}, {ways}, {line} lines, {_sharing(cache)}"


def _sharing(cache: Cache) -> str:
    if not cache.shared_by:
        return "sharing unknown (the OS does not say)"
    count = len(cache.shared_by)
    if count == 1:
        return f"one, of CPUs {cache.shared_by[0]}"
    shown = " | ".join(cache.shared_by[:4]) + (" | ..." if count > 4 else "")
    return f"{count} instances, of CPUs {shown}"


def _memory(machine: Machine) -> Iterator[Line]:
    yield "total", _shown(machine.memory.total_bytes, units.size_bytes)
    yield "available", _shown(machine.memory.available_bytes, units.size_bytes)
    yield "swap in use", _shown(machine.memory.swap_used_bytes, units.size_bytes)


def _limits(machine: Machine) -> Iterator[Line]:
    limits = machine.limits
    yield "usable threads", f"{limits.usable_threads} (affinity: CPUs {limits.affinity})"
    yield "cgroup CPU quota", _limit(limits.cpu_quota, lambda quota: f"{quota:g} CPUs")
    yield "cgroup memory", _limit(limits.memory_limit_bytes, units.size_bytes)
    yield "huge pages", f"{limits.huge_pages}; shared memory: {limits.shmem_huge_pages}"


def _host(machine: Machine) -> Iterator[Line]:
    load = machine.load
    yield "virtualisation", str(machine.virtualisation)
    yield "hardware counters", str(machine.counters)
    yield "runnable tasks", str(load.runnable)
    yield "load (1 minute)", _shown(load.load_1min, lambda value: f"{value:.2f}")
    yield "stolen CPU time", _shown(load.steal_fraction, units.percent)


def _software(machine: Machine) -> Iterator[Line]:
    software = machine.software
    yield "system", software.os
    yield "Python", software.python
    yield "packages", ", ".join(f"{name} {version}" for name, version in software.packages.items()) or "none"
    if isinstance(software.blas, Unknown):
        yield "BLAS of NumPy", str(software.blas)
    else:
        for library in software.blas:
            yield "BLAS of NumPy", _library(library)
    yield "threads of Numba", str(software.thread_layer)


def _library(library: Library) -> str:
    detail = f" ({library.detail})" if library.detail else ""
    threads = library.threads if isinstance(library.threads, Unknown) else f"{library.threads} threads"
    return f"{library.name} {library.version}{detail}, {threads}"


def _limit(value: Any, show: Callable[[Any], str]) -> str:
    """Having no limit is knowledge, not ignorance."""
    return NO_LIMIT.unknown if value == NO_LIMIT else _shown(value, show)


def _shown(value: Any, show: Callable[[Any], str]) -> str:
    return str(value) if isinstance(value, Unknown) else show(value)


def _wrapped(label: str, text: str) -> str:
    indent = "  "
    return textwrap.fill(
        text,
        width=WIDTH,
        initial_indent=f"{indent}{label:<{LABEL_WIDTH}}",
        subsequent_indent=" " * (len(indent) + LABEL_WIDTH),
        break_on_hyphens=False,
    )
