"""Is this a guest or a container? The signs that systemd-detect-virt(1) uses, from files alone."""

from kernelbench.machine.cpuinfo import CpuInfo
from kernelbench.machine.tree import Tree
from kernelbench.model import Unknown

#: Text in DMI's maker or product -> what it means. Amazon, Google and OpenStack also sell or manage bare
#: metal, so theirs count only beside the hypervisor CPU flag.
DMI = (
    ("VMware", "vmware"),
    ("VirtualBox", "virtualbox"),
    ("innotek", "virtualbox"),
    ("Parallels", "parallels"),
    ("Bochs", "bochs"),
    ("Xen", "xen"),
    ("HVM domU", "xen"),
    ("Apple Virtualization", "apple"),
    ("Virtual Machine", "microsoft"),
    ("KVM", "kvm"),
    ("QEMU", "kvm"),
)
DMI_IN_GUEST = (("Amazon", "kvm"), ("Google", "kvm"), ("OpenStack", "kvm"), ("DigitalOcean", "kvm"), ("Alibaba", "kvm"))

#: A paravirtual clock names its hypervisor where there is no DMI (microVMs).
CLOCKS = (("kvm-clock", "kvm"), ("hyperv", "microsoft"), ("xen", "xen"), ("vmware", "vmware"))

CGROUP_SIGNS = (("kubepods", "kubernetes"), ("/docker", "docker"), ("/lxc", "lxc"), ("libpod", "podman"))
FILE_SIGNS = (("run/.containerenv", "podman"), (".dockerenv", "docker"))

CONTAINER = "container"


def read(tree: Tree, info: CpuInfo) -> str | Unknown:
    """ "none", "kvm", "vmware"..., "container (docker)", or both: "kvm, container (docker)"."""
    hypervisor = _hypervisor(tree, info)
    kind = _container(tree)
    if not kind:
        return hypervisor
    container = f"{CONTAINER} ({kind})"
    if isinstance(hypervisor, Unknown) or hypervisor == "none":
        return container
    return f"{hypervisor}, {container}"


def hypervisor_of(virtualisation: str | Unknown) -> str:
    """The hypervisor alone: the same hardware inside and outside a container is one machine."""
    first = "none" if isinstance(virtualisation, Unknown) else virtualisation.partition(",")[0]
    return "none" if first.startswith(CONTAINER) else first


def guest_name(virtualisation: str | Unknown) -> str:
    """ "KVM guest", "VMware guest"... for reasons."""
    name = hypervisor_of(virtualisation)
    labels = {"kvm": "KVM", "vmware": "VMware", "xen": "Xen", "microsoft": "Hyper-V"}
    return f"{labels.get(name, name)} guest"


def _hypervisor(tree: Tree, info: CpuInfo) -> str | Unknown:
    flagged = not isinstance(info.flags, Unknown) and "hypervisor" in info.flags
    kind = tree.word("sys/hypervisor/type")
    if not isinstance(kind, Unknown):
        return kind
    dmi = " ".join(_present(tree, f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")).strip()
    named = _first(DMI + DMI_IN_GUEST if flagged else DMI, dmi)
    named = named or _first((("kvm", "kvm"), ("xen", "xen")), _present(tree, "proc/device-tree/hypervisor/compatible"))
    if named:
        return named
    if flagged:
        clocks = _present(tree, "sys/devices/system/clocksource/clocksource0/available_clocksource")
        return _first(CLOCKS, clocks) or "unnamed hypervisor"
    if dmi or (info.architecture in ("x86_64", "i686") and info.blocks):
        return "none"
    return Unknown("neither a hypervisor CPU flag nor DMI nor a device tree to judge by")


def _container(tree: Tree) -> str:
    """Kind of container; "" outside."""
    for path, kind in FILE_SIGNS:
        if tree.exists(path):
            return kind
    groups = _present(tree, "proc/1/cgroup") + _present(tree, "proc/self/cgroup")
    manager = tree.word("run/systemd/container")
    return _first(CGROUP_SIGNS, groups) or ("" if isinstance(manager, Unknown) else manager)


def _first(signs: tuple[tuple[str, str], ...], text: str) -> str:
    return next((meaning for sign, meaning in signs if sign in text), "")


def _present(tree: Tree, path: str) -> str:
    text = tree.text(path)
    return "" if isinstance(text, Unknown) else text
