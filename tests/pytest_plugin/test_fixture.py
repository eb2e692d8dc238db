"""The fixture ``kernelbench``: an assertion passes, fails, or is skipped as not decidable. Times are made up."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kernelbench.api import judged, judging, roofs, timing
from kernelbench.timing import arena
from kernelbench.timing.sampling import Samples
from tests.api_data import CARD
from tests.turns_data import SLICE_S, FakeTurns

pytest_plugins = ["pytester"]

#: Loaded by pytest itself where the package is installed with its entry point.
LOAD = (
    ()
    if any(one.name == "kernelbench" for one in entry_points(group="pytest11"))
    else ("-p", "kernelbench.pytest_plugin")
)

USES = """
import numpy as np

def triples(x):
    x *= 1

def test_it(kernelbench):
    x = np.ones(4096, np.float32)
    result = kernelbench(triples, (x,), bytes=19800)
    {assertion}
"""
# 19800 bytes of L1 at 198 GB/s: the roof is 100 ns.

#: An inner pytest forgets what it loaded, and a compiled module cannot be loaded twice: here it is loaded already.
LOADED = (np, arena)

Outcome = Callable[..., pytest.RunResult]


@pytest.fixture
def outcome(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Runs a test with one assertion where every sample takes ``took`` seconds, some of them beside a neighbour."""

    def run(
        assertion: str,
        *,
        took: float = 2e-7,
        scatter: float = 0.0,
        disturbed: bool = False,
        clock_hz: float = 0.0,
        turns: FakeTurns | None = None,
        options: tuple[str, ...] = (),
    ) -> pytest.RunResult:
        count = iter(range(10**6))

        def sampled(*_: object) -> Samples:
            best = took * (1 + scatter * (next(count) % 5))
            seconds = (best, best * 1.01, best * 1.02)
            return Samples(seconds, 1, (disturbed,) * 3, (0,) * 3, (0,) * 3, (clock_hz,) * 3, (0.0,) * 3, 1.0)

        def prepare(fn: Callable[..., object], args: Any, *_: object) -> timing.Prepared:
            return timing.Prepared(timing.name_of(fn), args, None, run=lambda calls: 0.0)  # type: ignore[arg-type]

        scripted = turns or FakeTurns(1.0)
        both = SimpleNamespace(take=scripted.take, slice_s=SLICE_S, names=("triples", "other"), check=lambda: None)
        monkeypatch.setattr(roofs, "machine_card", lambda threads=1: CARD)
        monkeypatch.setattr(roofs, "clock_of_roofs", lambda threads: 3e9)
        monkeypatch.setattr(judging.timing, "sampled", sampled)
        monkeypatch.setattr(judging.timing, "prepare", prepare)
        monkeypatch.setattr(judged, "sides", lambda *_, **__: both)
        monkeypatch.setattr(judged, "setting_of", lambda *_, **__: scripted.setting())
        pytester.makepyfile(USES.format(assertion=assertion))
        return pytester.runpytest_inprocess(*LOAD, "-p", "no:cacheprovider", "-rs", *options)

    return run


def test_a_share_above_the_bound_passes(outcome: Outcome) -> None:
    outcome("assert result.fraction_of_roof > 0.4").assert_outcomes(passed=1)


def test_a_share_below_the_bound_fails_with_value_interval_roof_and_bound(outcome: Outcome) -> None:
    found = outcome("assert result.fraction_of_roof >= 0.7")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(
        [
            "*assert 50.0% of its roof (95% interval 50.0% to 50.0%): triples takes 200 ns, the roof allows 100 ns "
            "(memory: L1 read 1 thread) >= 0.7"
        ]
    )


def test_an_upper_bound_is_judged_as_well(outcome: Outcome) -> None:
    outcome("assert result.fraction_of_roof < 0.6").assert_outcomes(passed=1)
    outcome("assert result.fraction_of_roof <= 0.4").assert_outcomes(failed=1)


def test_an_interval_across_the_bound_is_skipped_with_both(outcome: Outcome) -> None:
    found = outcome("assert result.fraction_of_roof > 0.45", scatter=0.1)
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["*not decidable: the interval crosses 45.0%; 50.0% of its roof*"])


@pytest.mark.parametrize("assertion", ["assert result.fraction_of_roof > 0.1", "assert result.fraction_of_roof > 0.9"])
def test_on_a_host_that_is_never_quiet_neither_is_claimed(outcome: Outcome, assertion: str) -> None:
    found = outcome(assertion, disturbed=True)
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["*not decidable: only 0 rounds met a quiet core, and an interval needs 6*"])


def test_a_core_at_another_clock_than_the_roofs_is_not_judged_by_them(outcome: Outcome) -> None:
    found = outcome("assert result.fraction_of_roof > 0.9", clock_hz=2e9)
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["*the core runs at 2.00 GHz, and the roofs were measured at 3.00 GHz*"])


def test_what_is_above_its_roof_proves_nothing(outcome: Outcome) -> None:
    found = outcome("assert result.fraction_of_roof > 0.7", took=9e-8)
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["*not decidable: it is above its roof: the work or the roof is wrong*"])


def test_measure_is_another_name_of_the_fixture(outcome: Outcome) -> None:
    outcome("assert kernelbench.measure(triples, (x,), bytes=19800).bound == 'memory'").assert_outcomes(passed=1)


def test_a_share_without_a_roof_is_an_error_that_says_what_to_give(outcome: Outcome) -> None:
    found = outcome("assert kernelbench(triples, (x,)).fraction_of_roof > 0.1")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*UsageError: triples has no roof: neither flop nor bytes was given*"])


def test_a_faster_function_passes_and_a_slower_one_fails_with_the_evidence(outcome: Outcome) -> None:
    outcome("assert result.faster_than(triples, by=1.2)", turns=FakeTurns(1.5, 0.01)).assert_outcomes(passed=1)
    found = outcome("assert result.faster_than(result, by=1.2)", turns=FakeTurns(1.1))
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(
        [
            "*assert triples is 1.10x as fast as other (interval 1.10x to 1.10x, asked for 1.20x): "
            "1.00 us against 1.10 us*"
        ]
    )


def test_a_ratio_that_scatters_across_the_bound_is_skipped(outcome: Outcome) -> None:
    found = outcome("assert result.faster_than(triples, by=1.2)", turns=FakeTurns(1.2, 0.3))
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["*not decidable: triples is 1.2*x as fast as other*20 rounds*"])


def test_not_faster_can_be_asserted_too(outcome: Outcome) -> None:
    outcome("assert not result.faster_than(triples, by=1.2)", turns=FakeTurns(0.5)).assert_outcomes(passed=1)


def test_disabled_it_measures_nothing(outcome: Outcome) -> None:
    found = outcome("raise RuntimeError", options=("--kernelbench-disable",))
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["*--kernelbench-disable: nothing is measured*"])


def test_pytest_starts_without_loading_anything_of_ours() -> None:
    code = "import sys, json, kernelbench.pytest_plugin\nprint(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ended.stdout))
    assert not loaded & {"numba", "numpy", "llvmlite", "msgspec", "click", "kernelbench.api"}
