"""OSACA's cycles for a loop."""

import sys

import pytest

from kernelbench.native.prediction import ARCHITECTURES, CannotPredict, predict

# Of OSACA's parser, about its own use of another package.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SUM = (".LBB0_1:", "vaddss (%rdx,%rsi,4), %xmm0, %xmm0", "addq $1, %rsi", "cmpq %rsi, %r8", "jne .LBB0_1")


def test_a_design_without_a_port_model_is_named() -> None:
    with pytest.raises(CannotPredict, match="no port model for pentium"):
        predict(SUM, "pentium")


def test_without_osaca_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "osaca.parser", None)
    with pytest.raises(CannotPredict, match=r"kernelbench\[asm\]"):
        predict(SUM, "zen4")


def test_a_sum_is_bound_by_its_chain() -> None:
    pytest.importorskip("osaca")
    found = predict(SUM, "zen4")
    assert (found.architecture, found.chain_cycles) == ("ZEN4", 3.0)
    assert found.cycles == found.chain_cycles > found.throughput_cycles


def test_independent_multiply_adds_are_bound_by_their_ports() -> None:
    pytest.importorskip("osaca")
    found = predict([f"vfmadd231ps %ymm14, %ymm15, %ymm{i}" for i in range(12)], "zen4")
    assert found.throughput_cycles == pytest.approx(6.0)


def test_what_its_data_lacks_is_named_and_left_out() -> None:
    pytest.importorskip("osaca")
    assert predict([*SUM[:-1], "vpmadd52luq %zmm0, %zmm1, %zmm2"], "zen2").unknown


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES.values())))
def test_osaca_knows_every_architecture_of_ours(architecture: str) -> None:
    osaca = pytest.importorskip("osaca.osaca")
    assert architecture in osaca.SUPPORTED_ARCHS
