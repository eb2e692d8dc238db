"""`kernelbench list` shows every variant, in ladder order, within 80 columns."""

import json

import pytest
from msgspec.structs import replace

from kernelbench import cli
from kernelbench.cli.list import render, select
from kernelbench.errors import UsageError
from kernelbench.model import OpInfo
from kernelbench.protocol import CatalogueReply
from kernelbench.runner import library
from tests.runner.fakes import OP, Clock, FakeWorkers, variant

ZED = OpInfo("zed", "z = 1", ("n",))
KNOWN = CatalogueReply(
    (OP, ZED),
    (
        variant("lib", style="library", compiled=False, unavailable="needs torch"),
        variant("wide", style="quantized", dtypes=("f64", "f32", "i8", "u8", "bf16"), compiled=False, fastmath=True),
        variant("fast", style="parallel", parallel=True, fastmath=True, dtypes=("f32", "f64")),
        variant("slow", style="naive", summary="word " * 40),
        replace(variant("slow"), name="zed/slow", op="zed"),
    ),
)


def test_variants_come_in_the_order_of_the_ladder_op_by_op() -> None:
    assert [v.name for v in select(KNOWN, ()).variants] == ["op/slow", "op/fast", "op/wide", "op/lib", "zed/slow"]


def test_globs_narrow_the_list() -> None:
    chosen = select(KNOWN, ("zed/*",))
    assert ([op.name for op in chosen.ops], [v.name for v in chosen.variants]) == (["zed"], ["zed/slow"])


def test_a_glob_without_a_match_names_near_ones() -> None:
    with pytest.raises(UsageError, match="did you mean op/fast"):
        select(KNOWN, ("op/fst",))


def test_each_entry_says_style_types_threads_and_what_is_special() -> None:
    text = render(select(KNOWN, ("op/fast", "op/lib")))
    assert "parallel, f32 f64, all threads, fast-math" in text
    assert "library, f32, 1 thread, called from Python" in text
    assert "not available here: needs torch" in text


def test_it_fits_80_columns() -> None:
    assert max(len(line) for line in render(KNOWN).splitlines()) <= 80


def test_json_holds_ops_and_variants(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(library, "process_factory", lambda memory_bytes, *_: FakeWorkers(Clock()))
    assert cli._exit_code(["list", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [op["name"] for op in data["ops"]] == ["op"]
    assert [v["name"] for v in data["variants"]] == ["op/a", "op/b"]
