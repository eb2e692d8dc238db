"""What a run must show: the ``[[expect]]`` tables of a configuration.

A rule picks cases and gives them one bound. Here rules are read, checked and put in words; whether a result
keeps them is ``analysis.expectations``' to say.
"""

from kernelbench.expect.check import problems, stored, unplanned
from kernelbench.expect.rules import BOUNDS, Bound, Other, Rule, is_other, matches

__all__ = ["BOUNDS", "Bound", "Other", "Rule", "is_other", "matches", "problems", "stored", "unplanned"]
