"""What is to be profiled, and how thoroughly."""

from msgspec import Struct

EFFORTS = ("full", "quick", "bounds")
"""full: every sweep. quick: the same with fewer rounds and sizes. bounds: only what tells which bound holds."""


class Request(Struct, frozen=True):
    """One kernel at one size."""

    kernel: str
    """A variant's full name, or a glob that only one matches."""
    size: str = ""
    """As ``sizes.ACCEPTED`` says; empty: the first of the op's own sizes."""
    dtype: str = ""
    """Empty: the first that the variant has."""
    threads: int = 1
    isa: str = "native"
    modules: tuple[str, ...] = ()
    """Files with kernels of the user's."""
    params: tuple[str, ...] = ()
    """NAME=VALUE, as ``params.ACCEPTED`` says."""
    effort: str = "full"
    """One of ``EFFORTS``."""
    seed: int = 0
