"""Which CPUs the threads of a case are pinned to."""

from kernelbench.errors import UsageError
from kernelbench.machine import cpulist
from kernelbench.model import Machine, Unknown


def placement(machine: Machine, threads: int) -> tuple[int, ...]:
    """``threads`` CPUs of the affinity mask: one kind of core before another (performance first), cores
    before SMT siblings, CPU 0's core last of its kind because it takes the interrupts.

    Raises UsageError when there are fewer usable CPUs than threads.
    """
    limits = machine.limits
    if not 1 <= threads <= limits.usable_threads:
        quota = "" if isinstance(limits.cpu_quota, Unknown) else f", cgroup quota {limits.cpu_quota:g} CPUs"
        raise UsageError(
            f"{threads} threads asked for, 1 to {limits.usable_threads} are usable here "
            f"(affinity {limits.affinity}{quota}): choose a number in that range, or widen the affinity mask or quota"
        )
    return _order(machine)[:threads]


def _order(machine: Machine) -> tuple[int, ...]:
    """Every allowed CPU, in the order in which threads take them."""
    allowed = set(cpulist.parse(machine.limits.affinity))
    kind_of = {cpu: rank for rank, kind in enumerate(machine.topology.kinds) for cpu in cpulist.parse(kind.cpus)}
    ranked = []
    for position, core in enumerate(machine.topology.smt_siblings):
        usable = [cpu for cpu in cpulist.parse(core) if cpu in allowed]
        ranked += [(kind_of.get(cpu, 0), sibling, position, cpu) for sibling, cpu in enumerate(usable)]
    return tuple(cpu for _, _, _, cpu in sorted(ranked))
