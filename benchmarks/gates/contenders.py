"""Who takes part: each gate with its repetitions, those that cannot be had left out with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct, structs

from gates import ours, passes
from gates.cells import Experiment
from gates.passes import Setting
from gates.peers import PEERS
from gates.records import OURS, SCATTER, Trial
from gates.sizing import sized
from gates.tools import find
from kernelbench.worker.jitcache import source_hash

SHARES = (0.05, 0.1)
EXPERIMENTS = ((0.05, 0.0), (0.03, 0.0), (0.05, 0.1), (0.03, 0.05))
"""(threshold, slowdown) of ours in each trial."""
QUICK_EXPERIMENTS = ((0.05, 0.1),)
QUICK_SHARES = (0.1,)
QUICK_BUDGET_S = 8.0


class Contender(Struct, frozen=True):
    """One gate."""

    likes: tuple[Trial, ...]
    """What a repetition of it is known by, each."""
    take: Callable[[Trial, int], list[Trial]]
    """(like, number of the repetition) -> what it gave."""


def entered(
    names: Sequence[str], wanted: Experiment, busy: str, folder: Path, *, quick: bool, say: Callable[[str], None]
) -> list[Contender]:
    """The gates called ``names``; ``say`` is told why one is left out. ``folder`` is for an environment."""
    found = []
    if OURS in names:
        found.append(_ours(wanted, busy, quick=quick))
    peers = [name for name in names if name in PEERS]
    if peers:
        found += _peers(peers, wanted, busy, folder, quick=quick, say=say)
    if SCATTER in names:
        likes = tuple(ours.scatter_trial(wanted, busy, private=private) for private in (False, True))
        found.append(Contender(likes, lambda like, number: [ours.run_scatter(wanted, like, number)]))
    return found


def _ours(wanted: Experiment, busy: str, *, quick: bool) -> Contender:
    thresholds = {}
    for threshold, share in QUICK_EXPERIMENTS if quick else EXPERIMENTS:
        thresholds[ours.gate_trial(wanted, threshold, slowed=share, busy=busy)] = threshold

    def take(like: Trial, number: int) -> list[Trial]:
        slow = (wanted.cached[number % len(wanted.cached)],) if like.slowed else ()
        budget_s = QUICK_BUDGET_S if quick else 0.0
        return [ours.run_gate(wanted, like, thresholds[like], number, slow, budget_s)]

    return Contender(tuple(thresholds), take)


def _peers(
    names: Sequence[str], wanted: Experiment, busy: str, folder: Path, *, quick: bool, say: Callable[[str], None]
) -> list[Contender]:
    tools = find(folder)
    for name in names:
        module = PEERS[name][0]
        say(f"{name}: left out, {tools.missing[module]}" if module in tools.missing else _version(name, tools.versions))
    there = [name for name in names if PEERS[name][0] not in tools.missing]
    if not there:
        return []
    # Compiled once, for whatever process times it; the name tells code of other sources apart.
    jit_key = f"gates-{source_hash()}"
    say(f"sizing slowdowns, cells: {len(wanted.cells)}")
    steps = sized(wanted, jit_key, QUICK_SHARES if quick else SHARES, say)
    return [_peer(name, wanted, busy, Setting(jit_key, steps, tools.python, quick)) for name in there]


def _peer(name: str, wanted: Experiment, busy: str, setting: Setting) -> Contender:
    like = Trial(name, "", 0, 0.0, busy=busy, selection=" ".join(wanted.globs))

    def take(like: Trial, number: int) -> list[Trial]:
        return list(passes.trials(name, wanted, setting, structs.replace(like, number=number)))

    return Contender((like,), take)


def _version(name: str, versions: dict[str, str]) -> str:
    module = PEERS[name][0]
    return f"{name}: {module.replace('_', '-')} {versions[module]}"
