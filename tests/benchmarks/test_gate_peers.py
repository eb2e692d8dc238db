"""What other gates print, and what this project's experiments read in it."""

from pathlib import Path

import pytest
from gates import ours, peers
from gates.cells import Cell, Experiment, experiment
from gates.passes import Setting, trials
from gates.peers import Flagged, PeerFailed, Place
from gates.records import Trial
from gates.request import Request

from kernelbench.config import load

CELLS = Path(__file__).resolve().parents[2] / "benchmarks" / "gate_cells.toml"

PYTEST = """\
Performance has regressed:
\ttest_cell[relu/vectorized/f32/n=2048/t=1] (0001_base) - Field 'median' has failed PercentageRegressionCheck: \
7.112345678 > 5.000000000
\ttest_cell[gemv/tiled/f32/m=256,n=512/t=1] (0001_base) - Field 'mean' has failed PercentageRegressionCheck: \
inf > 3.000000000
"""

PYPERF = """\
Slower (2):
- b/m=1,n=2/t=1: 143 us +- 19 us -> 455 us +- 38 us: 3.19x slower
- d/n=2/t=1: 1 us +- 1 us -> 2 us +- 1 us: 2.00x slower

Faster (1):
- c/n=2/t=1: 300 us +- 8 us -> 83.3 us +- 34.8 us: 3.60x faster

Benchmark hidden because not significant (1): a/n=1/t=1

Geometric mean: 1.01x faster
"""


def test_pytest_benchmarks_regressions_are_read_with_field_and_share() -> None:
    assert peers.failed_by_pytest(PYTEST) == {
        ("relu/vectorized/f32/n=2048/t=1", "median", 5),
        ("gemv/tiled/f32/m=256,n=512/t=1", "mean", 3),
    }


def test_of_pyperfs_groups_only_the_slower_count() -> None:
    assert peers.slower_by_pyperf(PYPERF) == {"b/m=1,n=2/t=1", "d/n=2/t=1"}


def test_a_pyperf_comparison_without_differences_fails_nothing() -> None:
    assert peers.slower_by_pyperf("Benchmark hidden because not significant (2): a, b\n") == frozenset()


def test_ranks_fail_a_cell_that_is_surely_slower_and_by_enough() -> None:
    base = {name: [1.0, 1.0, 1.0] for name in "abcd"}
    head = {"a": [1.04] * 3, "b": [1.1] * 3, "c": [0.9] * 3, "d": [1.2] * 3}
    found = peers.by_ranks(base, head, {"a": 0.01, "b": 0.01, "c": 0.01, "d": 0.2})
    assert found == {
        "p < 0.05": frozenset("ab"),
        "p < 0.05, 3%": frozenset("ab"),
        "p < 0.05, 5%": frozenset("b"),
    }


@pytest.fixture
def two_cells() -> Experiment:
    return experiment(CELLS, ["relu/vectorized/f32/n=2048/*", "triad/vectorized/f32/n=8388608/*"])


def test_a_cell_lives_in_a_cache_when_its_operands_do(two_cells: Experiment) -> None:
    assert two_cells.cached == ("relu/vectorized/f32/n=2048/t=1",)
    assert two_cells.matching("*") == two_cells.cached


def fake(name: str, monkeypatch: pytest.MonkeyPatch, calls: list[tuple[str, str, int]]) -> None:
    def take(place: Place, asked: Request, label: str, base: str) -> Flagged:
        calls.append((label, base, sum(cell.steps for cell in asked.cells)))
        slow = frozenset(cell.id for cell in asked.cells if cell.steps)
        return {"rule": slow} if base else {}

    monkeypatch.setitem(peers.PEERS, name, ("sys", take))


def test_a_slowed_head_is_judged_against_the_head_that_was_not(
    two_cells: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str, int]] = []
    fake("fake", monkeypatch, calls)
    slow = two_cells.cached[0]
    setting = Setting("key", {0.05: {slow: 7}, 0.1: {slow: 9}}, "python")
    list(trials("fake", two_cells, setting, Trial("fake", "", 0, 0.0)))
    assert calls == [("base", "", 0), ("head0", "base", 0), ("head50", "head0", 7), ("head100", "head0", 9)]


def test_only_cells_that_could_be_slowed_count_as_slowed(
    two_cells: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake("fake", monkeypatch, [])
    slow = two_cells.cached[0]
    clock = iter(float(second) for second in range(100))
    setting = Setting("key", {0.1: {slow: 9}}, "python")
    same, slowed = trials("fake", two_cells, setting, Trial("fake", "", 0, 0.0), lambda: next(clock))
    assert [cell.verdict for cell in same.cells] == ["passed", "passed"]
    assert [(cell.id, cell.verdict, cell.slowed) for cell in slowed.cells] == [(slow, "regressed", 0.1)]
    assert same.wall_s / len(same.cells) == slowed.wall_s / len(slowed.cells)


def test_a_gate_that_breaks_is_told_and_has_no_verdicts(two_cells: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    def take(place: Place, asked: Request, label: str, base: str) -> Flagged:
        raise PeerFailed("exit 3: no such option")

    monkeypatch.setitem(peers.PEERS, "fake", ("sys", take))
    [broken] = trials("fake", two_cells, Setting("key", {}, "python"), Trial("fake", "", 4, 0.0))
    assert (broken.problem, broken.number, broken.cells) == ("exit 3: no such option", 4, ())


def test_an_a_a_is_the_command_itself_and_a_slowdown_its_library() -> None:
    wanted = ours.Wanted("cells.toml", "out.json", 0.05, 3, ("relu/*",), private=True)
    words = ours.command(wanted)[1:]
    assert words[:5] == ["-m", "kernelbench", "ab", ".", "."]
    assert "--private" in words
    assert words[words.index("--case") + 1] == "relu/*"
    slowed = ours.command(ours.Wanted("cells.toml", "out.json", 0.05, 3, slowdowns={"relu": 0.1}))
    assert slowed[1].endswith("slowed_ab.py")


def test_options_given_as_variables_do_not_reach_the_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELBENCH_AB_TIME_BUDGET", "1")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert not {"KERNELBENCH_AB_TIME_BUDGET", "GITHUB_STEP_SUMMARY"} & ours.environment().keys()


def test_a_comparison_that_did_not_happen_has_its_last_word(
    two_cells: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Experiment(load(CELLS), Path("no such file.toml"), (Cell(two_cells.cells[0].case, "m", True),), 0)
    found = ours.run_gate(lost, ours.gate_trial(lost, 0.05), 0.05, 0)
    assert found.problem.startswith("exit 2:")
    assert "no such file" in found.problem
