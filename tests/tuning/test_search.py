"""Which candidates are proposed: all where they are few, each once where they are many."""

import importlib.util
import random

import pytest
from msgspec import UnsetType

from kernelbench.model import Values
from kernelbench.tuning import search
from kernelbench.tuning.search import Listed, Optimised, Sampled, Search, search_for
from tests.tuning.made import DEFAULT, TUNABLE

LARGE: dict[str, Values] = {name: (8, *range(8), *range(9, 16)) for name in ("a", "b", "c")}


def proposals(searched: Search, most: int = 1000) -> list[Values]:
    """What it asks for; everything takes as long as the default."""
    found: list[Values] = []
    while len(found) < most:
        values = searched.ask()
        if isinstance(values, UnsetType):
            break
        found.append(values)
        searched.tell(values, 1.0)
    return found


def test_a_small_space_is_tried_whole_and_each_candidate_once() -> None:
    found = proposals(search_for(TUNABLE, 0))
    assert len(found) == len(set(found)) == 11
    assert DEFAULT not in found


def test_the_order_is_random_and_the_same_for_the_same_seed() -> None:
    first, again, other = (proposals(search_for(TUNABLE, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_large_space_is_left_to_optuna() -> None:
    pytest.importorskip("optuna", reason="the extra `tune` is not installed")
    assert isinstance(search_for(LARGE, 0), Optimised)


def test_without_optuna_a_sample_is_drawn_and_how_to_install_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert isinstance(search_for(LARGE, 0), Sampled)
    assert "pip install 'kernelbench[tune]'" in search.why_sampled(LARGE)


def test_a_small_space_needs_no_optimiser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert isinstance(search_for(TUNABLE, 0), Listed)
    assert search.why_sampled(TUNABLE) == ""


def test_a_sample_has_no_candidate_twice_and_ends_with_the_space() -> None:
    found = proposals(Sampled(TUNABLE, random.Random(0)))
    assert len(found) == len(set(found)) == 11


def test_optuna_proposes_each_candidate_once_and_finds_the_valley() -> None:
    pytest.importorskip("optuna", reason="the extra `tune` is not installed")
    searched, known = Optimised(LARGE, 0), {}
    for _ in range(120):
        values = searched.ask()
        if isinstance(values, UnsetType):
            break
        assert values not in known
        known[values] = 1 + sum((value - 3) ** 2 for value in values) / 100
        searched.tell(values, known[values])
    # A sample of 120 of 4096 at random has one in a hundredth of the space with a chance of 70%: 1.05 has 33 of them.
    assert min(known.values()) <= 1.05
