"""Detection: what machine this is, what limits this process, and which CPUs to pin threads to.

Reads /proc and /sys below a root given as an argument, so that recorded machines can be detected in tests.
Imports neither NumPy nor Numba.
"""

from kernelbench.machine.caches import cache_levels, last_level_bytes
from kernelbench.machine.detect import detect
from kernelbench.machine.placement import placement

__all__ = ["cache_levels", "detect", "last_level_bytes", "placement"]
