"""The design by two witnesses: archspec goes by the features it sees, LLVM by family and model."""

from pathlib import Path

import pytest
from archspec.cpu import TARGETS

from kernelbench.machine.answers import LlvmHost
from kernelbench.machine.cpuinfo import CpuInfo
from kernelbench.machine.design import microarchitecture
from kernelbench.machine.tree import Tree
from kernelbench.model import Unknown


def design(of: str, llvm: str, *hidden: str) -> str | Unknown:
    """What a machine of design ``of`` is taken for, some of its features hidden, where LLVM calls it ``llvm``."""
    target = TARGETS[of]
    flags = " ".join(sorted({"lm", *target.features} - set(hidden)))
    info = CpuInfo(({"vendor_id": target.vendor, "flags": flags},))
    return microarchitecture(Tree(Path("/nonexistent"), live=False), info, LlvmHost(llvm, ()))


def test_both_agree_on_a_whole_machine() -> None:
    assert design("zen3", "znver3") == "zen3"


@pytest.mark.parametrize(
    ("of", "llvm", "hidden"), [("zen3", "znver3", ["pku"]), ("zen4", "znver4", ["avx512f", "avx512_bf16"])]
)
def test_a_guest_from_which_features_are_hidden_is_still_the_design_that_its_model_says(
    of: str, llvm: str, hidden: list[str]
) -> None:
    assert design(of, llvm, *hidden) == of


@pytest.mark.parametrize("llvm", ["x86-64", "x86-64-v3", "znver1", "skylake", "generic", ""])
def test_an_older_another_or_a_generic_name_of_llvm_does_not_outweigh_the_features(llvm: str) -> None:
    assert design("zen3", llvm) == "zen3"


def test_where_the_features_tell_nothing_llvm_is_believed() -> None:
    everything = TARGETS["zen3"].features - TARGETS["x86_64_v2"].features
    assert design("zen3", "znver3", *everything) == "zen3"


def test_where_neither_tells_it_is_unknown() -> None:
    everything = TARGETS["zen3"].features - TARGETS["x86_64_v2"].features
    assert isinstance(design("zen3", "x86-64-v2", *everything), Unknown)
