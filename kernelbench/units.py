"""Numbers for people: the one place that scales and rounds.

Times, rates and bandwidths use decimal prefixes (1 GB/s = 10^9 B/s); memory sizes use binary ones
(1 KiB = 1024 B). Three significant digits everywhere, so that no two reports show different digits.
"""

import math

_TIME = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_BINARY = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def three_digits(value: float) -> str:
    """``value`` with three significant digits and no exponent: 1234 -> "1230", 0.01234 -> "0.0123"."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    digits = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    digits = 2 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{max(0, digits)}f}"


def seconds(value: float) -> str:
    """``value`` seconds as "1.23 us"."""
    for scale, unit in _TIME:
        if abs(value) >= scale * 0.9995:
            return f"{three_digits(value / scale)} {unit}"
    return f"{three_digits(value / 1e-9)} ns"


def size_bytes(value: float) -> str:
    """``value`` bytes as "32 KiB", "1.5 MiB"."""
    for scale, unit in _BINARY:
        if abs(value) >= scale:
            return f"{value / scale:.3g} {unit}" if value < 1000 * scale else f"{value / scale:.0f} {unit}"
    return f"{value:.0f} B"


def giga(value_per_s: float) -> str:
    """A rate in units of 10^9 a second ("117" for 117e9)."""
    return three_digits(value_per_s / 1e9)


def hertz(value: float) -> str:
    """``value`` Hz as "3.65 GHz"."""
    return f"{three_digits(value / 1e9)} GHz"


def percent(fraction: float) -> str:
    """0.943 -> "94.3%"."""
    return f"{100 * fraction:.1f}%"


def ratio(value: float) -> str:
    """1.234 -> "1.23x"."""
    return f"{three_digits(value)}x"


def short_percent(fraction: float) -> str:
    """A share that was chosen or counted: 0.05 -> "5%", 0.955 -> "95.5%"."""
    return f"{100 * fraction:.3g}%"


def signed_percent(change: float) -> str:
    """0.12 -> "+12.0%"."""
    return f"{100 * change:+.1f}%"


def near_one(value: float) -> str:
    """A ratio near 1 with three decimals: there, three significant digits would hide 0.4%."""
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def error(value: float) -> str:
    """An error with two digits: "3.1e-07", "0" when exact."""
    return "0" if value == 0 else f"{value:.1e}"


def decibels(value: float) -> str:
    """A signal-to-noise ratio: "41 dB"."""
    return f"{value:.0f} dB"


def probability(value: float) -> str:
    """A p-value with two digits: "0.0012", "3.1e-05"."""
    return f"{value:.2g}"
