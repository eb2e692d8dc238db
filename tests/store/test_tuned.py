"""Winners of a search: kept by size class, forgotten on demand, never used for a kernel that has changed."""

import pytest
from msgspec import structs

from kernelbench.errors import StoreError
from kernelbench.store import tuned
from tests.builders import MACHINE_ID, case
from tests.tuning.found import CASE, FAST, no_winner, tuning

CLASS = "matmul/tiled/f32/n=512/t=1"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_winner_is_found_again() -> None:
    assert tuned.keep(tuning())
    kept = tuned.load(MACHINE_ID).winners[CLASS]
    assert (kept.chosen, kept.ratio, kept.case_id) == ({"kc": 128, "nc": 256}, 0.9, CASE.id)


@pytest.mark.parametrize(("size", "named"), [(512, 512), (600, 512), (724, 512), (725, 1024), (1, 1), (1448, 1024)])
def test_a_size_belongs_to_the_nearest_power_of_two(size: int, named: int) -> None:
    assert tuned.class_of(case("relu/naive", shape={"n": size})) == f"relu/naive/f32/n={named}/t=1"


def test_threads_types_and_parameters_are_classes_of_their_own() -> None:
    base = case("spmm/parallel", shape={"m": 64, "n": 64, "k": 64})
    others = [
        structs.replace(base, threads=2),
        structs.replace(base, dtype="f64"),
        structs.replace(base, params={"sparsity": 0.9}),
        structs.replace(base, isa="avx2"),
    ]
    assert len({tuned.class_of(one) for one in (base, *others)}) == 5


def test_another_machine_has_winners_of_its_own() -> None:
    tuned.keep(tuning())
    assert tuned.load("ba9876543210").winners == {}


def test_a_later_search_that_leaves_the_default_forgets_the_winner() -> None:
    tuned.keep(tuning())
    assert not tuned.keep(no_winner())
    assert tuned.load(MACHINE_ID).winners == {}


def test_where_nothing_is_kept_no_file_is_made() -> None:
    tuned.keep(no_winner())
    assert not tuned.path_of(MACHINE_ID).exists()


def test_forgetting_names_what_is_gone_and_leaves_the_rest() -> None:
    tuned.keep(tuning())
    tuned.keep(tuning(case=case("matmul/packed", shape={"m": 64, "n": 64, "k": 64})))
    assert tuned.forget(MACHINE_ID, ("matmul/tiled",)) == (CLASS,)
    assert list(tuned.load(MACHINE_ID).winners) == ["matmul/packed/f32/n=64/t=1"]


def test_a_winner_is_not_used_once_the_kernel_declares_something_else() -> None:
    tuned.keep(tuning())
    kept = tuned.load(MACHINE_ID).winners[CLASS]
    assert tuned.usable(kept, tuning().tunable)
    assert not tuned.usable(kept, {"kc": (64, 128), "nc": (512, 256)})
    assert not tuned.usable(structs.replace(kept, values=(7, 256)), tuning().tunable)
    assert not tuned.usable(structs.replace(kept, values=FAST[:1]), tuning().tunable)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"machine": "x"}', '{"machine": 1}', "\xff"])
def test_a_damaged_file_is_a_reason_and_no_error(text: str) -> None:
    path = tuned.path_of(MACHINE_ID)
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    loaded = tuned.load(MACHINE_ID)
    assert loaded.winners == {}
    assert "`kernelbench tune` writes it anew" in loaded.fault


def test_a_disk_that_refuses_is_said(tmp_path) -> None:
    (tmp_path / "kernelbench").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="was not written"):
        tuned.keep(tuning())
