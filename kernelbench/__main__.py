"""``python -m kernelbench``."""

from kernelbench.cli import main

main()
