"""The documents of ``kernelbench report``: pictures, the page in a browser, and what is refused."""

import webbrowser
from pathlib import Path

import pytest

from kernelbench.cli import main
from kernelbench.store.files import write_result
from tests.builders import Failed, case, record, result, sample


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A result file in results/ of the current folder."""
    monkeypatch.chdir(tmp_path)
    path = Path("results/one.json")
    path.parent.mkdir()
    write_result(path, sample())
    return path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was asked to open; none is started."""
    asked: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) or True)
    return asked


def report(*args: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["report", *args])
    return int(exit_.value.code or 0)


def refused(capsys: pytest.CaptureFixture, *args: str) -> str:
    """The one line that says why."""
    assert report(*args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return str(err)


def test_an_svg_is_written(stored: Path) -> None:
    assert report(str(stored), "--svg", "out.svg") == 0
    assert Path("out.svg").read_text().startswith("<svg ")


def test_a_dash_writes_the_svg_to_stdout_and_nothing_else(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert report(str(stored), "--svg", "-") == 0
    out = capsys.readouterr().out
    assert out.startswith("<svg ")
    assert out.rstrip().endswith("</svg>")


def test_a_png_is_written(stored: Path) -> None:
    assert report(str(stored), "--png", "out.png") == 0
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


def test_the_markdown_shows_the_picture_written_with_it_by_a_path_from_its_own_folder(stored: Path) -> None:
    Path("a b").mkdir()
    assert report(str(stored), "--svg", "a b/roof.svg", "--md", "results/out.md") == 0
    assert "![Roofline](<../a%20b/roof.svg>)" in Path("results/out.md").read_text().split("\n\n")


def test_the_markdown_without_a_picture_links_none(stored: Path) -> None:
    assert report(str(stored), "--md", "out.md") == 0
    assert "![" not in Path("out.md").read_text()


def test_a_brief_markdown_has_finding_picture_fastest_cases_and_advice(stored: Path) -> None:
    assert report(str(stored), "--svg", "roof.svg", "--md", "out.md", "--brief") == 0
    text = Path("out.md").read_text()
    assert text.startswith("## kernelbench\n\nThe best f32 matmul reaches")
    assert "![Roofline](<roof.svg>)" in text
    assert "| matmul n=512" in text
    assert "## Machine" not in text


def test_a_brief_markdown_names_what_failed_and_shows_its_message_as_text(stored: Path) -> None:
    write_result(stored, result([record(case(), Failed("verify", "<script>alert(1)</script> | [x](y)"))]))
    assert report(str(stored), "--md", "out.md", "--brief") == 0
    text = Path("out.md").read_text()
    assert r"\<script\>alert(1)\</script\> \| \[x\](y)" in text
    assert "<script>" not in text


def test_brief_without_markdown_is_refused(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert "--md" in refused(capsys, str(stored), "--brief")


def test_open_shows_the_page_that_was_written(stored: Path, opened: list[str]) -> None:
    assert report(str(stored), "--html", "out.html", "--open") == 0
    assert opened == [Path("out.html").resolve().as_uri()]


def test_open_alone_writes_the_page_beside_the_result(stored: Path, opened: list[str]) -> None:
    assert report(str(stored), "--open") == 0
    assert opened == [Path("results/one.html").resolve().as_uri()]
    assert Path("results/one.html").exists()


def test_without_a_display_open_says_so_and_where_the_page_is(
    stored: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert report(str(stored), "--open") == 2
    assert opened == []
    assert Path("results/one.html").exists()
    assert "no display" in (err := capsys.readouterr().err)
    assert "results/one.html" in err.splitlines()[-1]


def test_where_no_browser_starts_open_says_so(
    stored: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    assert report(str(stored), "--open") == 2
    assert "no browser was found" in capsys.readouterr().err


def test_a_png_for_stdout_is_refused(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert "--svg -" in refused(capsys, str(stored), "--png", "-")


@pytest.mark.parametrize("name", ["out", "out.jpg", "out.svgz"])
def test_a_picture_of_another_suffix_is_refused(stored: Path, name: str, capsys: pytest.CaptureFixture) -> None:
    err = refused(capsys, str(stored), "--svg", name)
    assert name in err
    assert ".svg" in err
    assert not Path(name).exists()


def test_a_suffix_of_another_format_is_refused_and_the_option_for_it_named(
    stored: Path, capsys: pytest.CaptureFixture
) -> None:
    assert "--png" in refused(capsys, str(stored), "--html", "out.png")


def test_one_path_for_two_documents_is_refused(stored: Path, capsys: pytest.CaptureFixture) -> None:
    err = refused(capsys, str(stored), "--csv", "out.txt", "--md", "./out.txt")
    assert "--csv and --md" in err
    assert not Path("out.txt").exists()


def test_a_folder_is_refused_as_a_document(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert "is a folder" in refused(capsys, str(stored), "--md", "results")


def test_a_file_that_is_not_there_is_one_line(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert "results/none.json" in refused(capsys, "results/none.json", "--svg", "out.svg")
    assert not Path("out.svg").exists()


def test_a_folder_in_place_of_a_result_is_one_line(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert "results" in refused(capsys, "results")
