"""Flags win over the configuration."""

from pathlib import Path

import pytest

from kernelbench.config import Config, Flags, Matrix, override
from kernelbench.errors import UsageError
from kernelbench.protocol import Effort

TWO = Config(
    rounds=6, matrix=(Matrix(kernels=("matmul/*",), sizes=(64, 256)), Matrix(kernels=("relu/*",), sizes=(4096,)))
)


def test_no_flags_change_nothing() -> None:
    assert override(TWO, Flags()) == TWO
    assert override(TWO, Flags(kernels=(), dtypes=(), sizes=(), modules=())) == TWO


def test_list_flags_may_be_repeated_and_joined_by_commas() -> None:
    changed = override(TWO, Flags(dtypes=("f32, f64", "i8"), threads=("1,all",), cache=("warm,cold",), isa=("avx2",)))
    for block in changed.matrix:
        assert block.dtypes == ("f32", "f64", "i8")
        assert block.threads == (1, "all")
        assert block.cache == ("warm", "cold")
        assert block.isa == ("avx2",)


def test_case_globs_keep_their_commas() -> None:
    assert override(TWO, Flags(cases=("*/m=1,n=2/*",))).cases == ("*/m=1,n=2/*",)


def test_general_sizes_take_the_place_of_all_sizes() -> None:
    assert [block.sizes for block in override(TWO, Flags(sizes=("32,1x2x3",))).matrix] == [("32,1x2x3",)] * 2


def test_sizes_of_one_op_leave_the_others_alone() -> None:
    changed = override(TWO, Flags(sizes=("relu:17",)))
    assert [block.sizes for block in changed.matrix] == [(64, 256, "relu:17"), (4096, "relu:17")]


def test_parameters_given_by_flag_are_read_as_numbers_and_words() -> None:
    changed = override(TWO, Flags(params=("sparsity=0.5, 1e-1", "group=32", "mode=fast")))
    assert changed.params == {"sparsity": (0.5, 0.1), "group": (32,), "mode": ("fast",)}
    assert changed.matrix == TWO.matrix


def test_quick_means_three_rounds_and_less_effort() -> None:
    quick = override(TWO, Flags(quick=True))
    assert quick.rounds == 3
    assert quick.effort.round_s < TWO.effort.round_s
    assert quick.effort.samples < TWO.effort.samples


def test_quick_never_raises_the_effort_of_a_configuration() -> None:
    small = Effort(samples=3, round_s=0.01, warmup_s=0.01)
    assert override(Config(effort=small), Flags(quick=True)).effort == small


def test_rigorous_means_at_least_ten_rounds_and_more_effort() -> None:
    assert override(TWO, Flags(rigorous=True)).rounds == 10
    assert override(Config(rounds=20), Flags(rigorous=True)).rounds == 20
    assert override(TWO, Flags(rigorous=True)).effort.round_s > TWO.effort.round_s


def test_rounds_given_by_number_win_over_quick_and_rigorous() -> None:
    assert override(TWO, Flags(rigorous=True, rounds=4)).rounds == 4


def test_quick_and_rigorous_together_are_refused() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        override(TWO, Flags(quick=True, rigorous=True))


def test_plain_values_are_taken_over() -> None:
    changed = override(TWO, Flags(seed=7, time_budget_s=12.0, ceilings=False))
    assert (changed.seed, changed.time_budget_s, changed.ceilings) == (7, 12.0, False)


def test_modules_are_added_as_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text("")
    monkeypatch.chdir(tmp_path)
    changed = override(TWO, Flags(modules=("mine.py",)))
    assert changed.modules == changed.extra_modules == (str(tmp_path / "mine.py"),)


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (Flags(threads=("two",)), ["--threads", "'two'", '"all"']),
        (Flags(threads=("-1",)), ["--threads", "-1"]),
        (Flags(threads=("1,",)), ["--threads", "''"]),
        (Flags(dtypes=("f33",)), ["--dtype", "'f33'", "f32"]),
        (Flags(isa=("avx3",)), ["--isa", "'avx3'", "avx2"]),
        (Flags(cache=("hot",)), ["--cache", "'hot'", "warm"]),
        (Flags(sizes=("-3",)), ["'-3'", "1x4096x4096"]),
        (Flags(params=("sparsity",)), ["param 'sparsity'", "NAME=VALUE"]),
        (Flags(rounds=0), ["--rounds", "0 given", "from 1"]),
        (Flags(time_budget_s=float("nan")), ["--time-budget", "nan"]),
        (Flags(modules=("gone.py",)), ["--module", "gone.py"]),
    ],
)
def test_a_wrong_flag_is_named_as_the_user_typed_it(flags: Flags, parts: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        override(TWO, flags)
    for part in parts:
        assert part in str(caught.value)
