"""One kernel in depth: what to measure in which order, driven through worker processes."""

from kernelbench.profiling.engine import profile as profile
from kernelbench.profiling.request import EFFORTS as EFFORTS
from kernelbench.profiling.request import Request as Request
