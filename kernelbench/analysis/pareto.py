"""Which of several choices are worth having when two things cost: the Pareto front."""

from collections.abc import Sequence

Costs = tuple[float, float]
"""Two numbers of one choice, less is better for both."""


def front(choices: Sequence[Costs]) -> tuple[int, ...]:
    """Places of the choices that no other equals or beats in both costs, beating it in one; by rising first cost.

    Equal choices stand or fall together. (Pareto efficiency in its strong sense; Ehrgott, Multicriteria
    Optimization, 2005, definition 2.1.)
    """
    kept: list[int] = []
    least = float("inf")
    for place in sorted(range(len(choices)), key=lambda i: choices[i]):
        if choices[place][1] < least or (kept and choices[place] == choices[kept[-1]]):
            kept.append(place)
            least = choices[place][1]
    return tuple(kept)
