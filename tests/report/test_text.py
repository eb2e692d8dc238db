"""Untrusted text and numbers as people read them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.report.columns import error, speedup
from kernelbench.report.text import clip, safe_text


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("matmul/tiled µ 行列", "matmul/tiled µ 行列"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\nb\tc\rd\x00e", "a\\nb\\tc\\rd\\x00e"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("lone\ud800", "lone\\ud800"),
    ],
)
def test_what_could_steer_a_terminal_or_hide_is_spelled_out(given_text: str, shown: str) -> None:
    assert safe_text(given_text) == shown


@given(st.text())
def test_safe_text_holds_no_control_character_and_stays_as_it_is(text: str) -> None:
    shown = safe_text(text)
    assert not any(unicodedata.category(c).startswith("C") for c in shown)
    assert safe_text(shown) == shown


@given(st.text(max_size=30), st.integers(1, 30))
def test_clipped_text_fits_and_keeps_both_ends(text: str, width: int) -> None:
    clipped = clip(text, width)
    assert len(clipped) == min(len(text), width)
    if len(text) > width >= 3:
        assert clipped[0] == text[0]
        assert clipped[-1] == text[-1]
        assert "…" in clipped


@pytest.mark.parametrize(("value", "shown"), [(12.34, "12.3x"), (0.5, "0.500x"), (0.00951, "1/105x"), (1.0, "1.00x")])
def test_a_speedup_far_below_one_reads_as_a_fraction(value: float, shown: str) -> None:
    assert speedup(value) == shown


def test_an_exact_result_has_error_zero() -> None:
    assert (error(0), error(3.14e-7)) == ("0", "3.1e-07")
