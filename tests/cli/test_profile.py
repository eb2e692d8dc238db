"""`kernelbench profile`, the engine being made up: what it is asked, where its result goes, and what a slip costs."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

import kernelbench.profiling
from kernelbench import cli
from kernelbench.errors import UsageError
from kernelbench.model import OpInfo, Result, VariantInfo
from kernelbench.profiling import Request
from kernelbench.protocol import CatalogueReply
from kernelbench.runner import library
from kernelbench.runner.job import Position
from kernelbench.store.files import read_result, write_result
from tests.profiles import profiled

Kernelbench = Callable[..., int]


class Engine:
    """Stands for the engine: remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.result = profiled()
        self.raises: BaseException | None = None

    def __call__(self, request: Request, progress: Any) -> Result:
        self.asked.append(request)
        progress.show(Position("bounds", 1, 3, "matmul/tiled"))
        if self.raises is not None:
            raise self.raises
        return self.result


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(kernelbench.profiling, "profile", made)
    return made


@pytest.fixture
def kernelbench_(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernelbench:
    monkeypatch.chdir(tmp_path)
    # The lock of this host belongs to real runs.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("KERNELBENCH_PROFILE_WAIT_QUIET", "0")
    names = ("matmul/tiled", "matmul/naive")
    variants = tuple(VariantInfo(n, "matmul", n[7:], ("f32",), "", False, False, True, "m") for n in names)
    known = CatalogueReply((OpInfo("matmul", "", ("m", "n", "k")),), variants)
    monkeypatch.setattr(library, "list_catalogue", lambda modules: known)
    return lambda *words: cli._exit_code(["profile", *words])


def test_the_profile_goes_to_stdout_and_progress_to_stderr(
    kernelbench_: Kernelbench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kernelbench_("matmul/tiled", "-s", "512") == 0
    out, err = capsys.readouterr()
    assert out.startswith("matmul/tiled f32 n=512: 31.9% of its roof")
    assert "\x1b" not in out
    assert err.startswith("bounds  1/3  matmul/tiled\nwrote results/")


def test_the_file_is_of_kind_profile_and_lies_in_results(kernelbench_: Kernelbench, tmp_path: Path) -> None:
    assert kernelbench_("matmul/tiled", "-s", "512") == 0
    (path,) = (tmp_path / "results").glob("*.json")
    assert read_result(path).kind == "profile"


def test_options_reach_the_engine(kernelbench_: Kernelbench, engine: Engine) -> None:
    words = ("-s", "64x32x16", "--dtype", "f32", "-t", "2", "--isa", "avx2", "--quick", "--seed", "7", "-p", "a=1")
    assert kernelbench_("matmul/tiled", *words) == 0
    assert engine.asked == [
        Request("matmul/tiled", "64x32x16", "f32", 2, "avx2", params=("a=1",), effort="quick", seed=7)
    ]


def test_json_is_clean(kernelbench_: Kernelbench, capsys: pytest.CaptureFixture[str]) -> None:
    assert kernelbench_("matmul/tiled", "--json", "--quiet", "-o", "p.json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["kind"] == "profile"
    assert err == "wrote p.json\n"


def test_a_page_is_written_where_it_is_asked_for(kernelbench_: Kernelbench, tmp_path: Path) -> None:
    assert kernelbench_("matmul/tiled", "--html", "p.html", "-o", "p.json") == 0
    assert "kernelbench profile of matmul/tiled" in (tmp_path / "p.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("matmul/tild",), "did you mean matmul/tiled"),
        (("matmul/*",), "names 2 kernels"),
        (("old.json",), "`kernelbench report`"),
        (("mine.py",), "--module mine.py"),
        (("matmul/tiled", "-s", "64,128"), "names several"),
        (("matmul/tiled", "-s", "many"), "size 'many'"),
        (("matmul/tiled", "-t", "many"), "--threads 'many' is no count"),
        (("matmul/tiled", "-t", "0"), "--threads '0' is no count"),
        (("matmul/tiled", "--isa", "mmx"), "accepted: native"),
        (("matmul/tiled", "--dtype", "f99"), "accepted: f64"),
        (("matmul/tiled", "-m", "gone.py"), "no such file"),
        (("matmul/tiled", "--html", "-"), "give it a path"),
        (("matmul/tiled", "--html", "p.json"), "would write over a result"),
    ],
)
def test_a_slip_costs_one_line_and_no_measurement(
    kernelbench_: Kernelbench, engine: Engine, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert kernelbench_(*words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
    assert engine.asked == []


def test_what_the_engine_refuses_is_one_line(
    kernelbench_: Kernelbench, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.raises = UsageError("matmul/tiled/f32/n=9/t=1 cannot be profiled: too large")
    assert kernelbench_("matmul/tiled") == 2
    assert capsys.readouterr().err.endswith("error: matmul/tiled/f32/n=9/t=1 cannot be profiled: too large\n")


def test_an_interrupted_profile_is_kept_and_exits_130(
    kernelbench_: Kernelbench, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.result = profiled(interrupted=True)
    assert kernelbench_("matmul/tiled", "-o", "p.json") == 130
    assert "interrupted: p.json holds what was done" in capsys.readouterr().err


def test_an_interrupt_before_anything_was_done_exits_130(kernelbench_: Kernelbench, engine: Engine) -> None:
    engine.raises = KeyboardInterrupt()
    assert kernelbench_("matmul/tiled") == 130


@pytest.fixture
def file(tmp_path: Path) -> str:
    write_result(tmp_path / "p.json", profiled())
    return str(tmp_path / "p.json")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "bound by L2 bandwidth"),
        (("--json",), '"kind": "profile"'),
        (("--md", "-"), "# matmul/tiled f32 n=512"),
        (("--md", "-", "--brief"), "## What to do next"),
        (("--csv", "-"), "matmul/tiled/f32/n=64/t=1"),
        (("--svg", "-"), "<svg"),
    ],
)
def test_report_shows_a_profile_in_every_form(
    file: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert cli._exit_code(["report", file, *words]) == 0
    assert told in capsys.readouterr().out


def test_report_writes_the_page_of_a_profile_beside_it(file: str, tmp_path: Path) -> None:
    assert cli._exit_code(["report", file, "--html"]) == 0
    assert "kernelbench profile" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_report_names_the_file_that_lacks_its_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_result(tmp_path / "p.json", profiled(profile=UNSET))
    assert cli._exit_code(["report", str(tmp_path / "p.json")]) == 2
    err = capsys.readouterr().err
    assert "p.json: a result of kind 'profile' that holds no profile" in err
    assert len(err.splitlines()) == 1


def test_a_profile_is_not_compared_with_others(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli._exit_code(["report", file, file]) == 2
    assert "of kind 'profile'" in capsys.readouterr().err
