"""Guests, containers, and hardware counters that are not there."""

import errno
from pathlib import Path

import pytest

from kernelbench.machine import detect
from kernelbench.machine.counters import explain
from kernelbench.machine.virtualisation import hypervisor_of
from kernelbench.model import Unknown
from tests.machine import recorded

CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"


@pytest.mark.parametrize(
    ("maker", "product", "name"),
    [
        ("VMware, Inc.", "VMware7,1", "vmware"),
        ("Microsoft Corporation", "Virtual Machine", "microsoft"),
        ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "kvm"),
        ("innotek GmbH", "VirtualBox", "virtualbox"),
        ("Amazon EC2", "m7i.large", "kvm"),
        ("Xen", "HVM domU", "xen"),
    ],
)
def test_a_guest_is_named_by_its_dmi(guest_root: Path, maker: str, product: str, name: str) -> None:
    recorded.put(guest_root, "sys/class/dmi/id/sys_vendor", maker)
    recorded.put(guest_root, "sys/class/dmi/id/product_name", product)
    assert hypervisor_of(detect(guest_root).virtualisation) == name


def test_bare_metal_of_a_cloud_maker_is_not_a_guest(tmp_path: Path) -> None:
    root = recorded.write(recorded.files_of(recorded.ASYMMETRIC), tmp_path)
    recorded.put(root, "sys/class/dmi/id/sys_vendor", "Amazon EC2")
    recorded.put(root, "sys/class/dmi/id/product_name", "m7i.metal-24xl")
    assert detect(root).virtualisation == "none"


def test_a_hypervisor_that_names_itself_nowhere_is_still_noticed(guest_root: Path) -> None:
    recorded.put(guest_root, CLOCKS, "tsc")
    assert hypervisor_of(detect(guest_root).virtualisation) == "unnamed hypervisor"


def test_an_arm_guest_is_named_by_its_device_tree(tmp_path: Path) -> None:
    cpuinfo = recorded.files_of(recorded.ARM_SERVER)["proc/cpuinfo"]
    root = recorded.write({"proc/cpuinfo": cpuinfo}, tmp_path)
    assert isinstance(detect(root).virtualisation, Unknown)
    recorded.put(root, "proc/device-tree/hypervisor/compatible", "linux,kvm\0")
    assert detect(root).virtualisation == "kvm"


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("run/.containerenv", "", "podman"),
        ("proc/1/cgroup", "0::/kubepods/pod1/abc", "kubernetes"),
        ("proc/self/cgroup", "0::/docker/abc", "docker"),
        ("run/systemd/container", "lxc", "lxc"),
    ],
)
def test_a_container_on_bare_metal_is_noticed(tmp_path: Path, path: str, content: str, kind: str) -> None:
    root = recorded.write(recorded.files_of(recorded.ASYMMETRIC), tmp_path)
    recorded.put(root, path, content)
    assert detect(root).virtualisation == f"container ({kind})"


def test_a_guest_without_counters_says_which_guest() -> None:
    assert explain(errno.ENOENT, "2", "kvm, container (docker)") == "no PMU: KVM guest"


def test_bare_metal_without_counters_does_not_blame_a_guest() -> None:
    assert "guest" not in explain(errno.ENOENT, "2", "none")


def test_forbidden_counters_name_the_setting_and_its_value() -> None:
    assert "kernel.perf_event_paranoid must be 2 or less without root, it is 4" in explain(errno.EACCES, "4", "none")


def test_a_kernel_without_the_system_call_is_named() -> None:
    assert explain(errno.ENOSYS, Unknown("no file"), "none") == "kernel without perf_event, or seccomp hides it"


def test_any_other_error_is_passed_on_in_words() -> None:
    assert explain(errno.EMFILE, "2", "none") == "perf_event_open failed: Too many open files"
