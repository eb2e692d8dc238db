"""The experiments' helper modules lie beside the scripts and are imported as those import them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
