"""What the functions of an op take and give: shapes, operands, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Shape = Mapping[str, Any]
"""Dimensions and parameters by name: {"m": 512, "n": 512, "k": 512, "causal": 1}."""
Arrays = tuple[Any, ...]
"""Operands: NumPy arrays, and integers (a size, an address)."""
Outputs = tuple[tuple[tuple[int, ...], str], ...]
"""(shape, dtype) of each output."""


@dataclass(frozen=True)
class Inputs:
    """What a variant is called with, before its outputs."""

    arrays: Arrays
    shape: Shape
    dtype: str
