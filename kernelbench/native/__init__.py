"""Machine code made from LLVM's own language, without Numba, and what it may and does contain.

For the harness: timing loops, ceiling probes, trampolines. Kernels have ``simd`` instead, which is under test as
they are; nothing here changes with the kernels that are measured.
"""
