"""The paired comparison of two sides: what a side is, and where its kernels come from."""
