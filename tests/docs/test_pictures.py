"""The pictures of the docs can be made again from the run that is beside them."""

from pathlib import Path
from typing import Any

import pytest

from kernelbench.errors import UsageError
from kernelbench.report import html
from kernelbench.store.files import read_result
from tests.docs.test_generated import DOCS, script
from tests.report.chromium import browser

__all__ = ["browser"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html.render(read_result(DOCS / "example" / "run.json")), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, writing to a folder of the test."""
    made = script("pictures")
    monkeypatch.setattr(made, "FOLDER", tmp_path)
    return made


@pytest.mark.parametrize("name", ["ladder", "phone"])
def test_a_picture_of_the_docs_can_be_taken_again(browser: Any, address: str, pictures: Any, name: str) -> None:
    (shot,) = (one for one in pictures.SHOTS if one.name == name)
    pictures._take(browser, address, shot)
    assert (pictures.FOLDER / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_part_that_the_page_lacks_is_named(browser: Any, address: str, pictures: Any) -> None:
    with pytest.raises(UsageError, match="#nowhere"):
        pictures._take(browser, address, pictures.Shot("missing", "#nowhere"))


def test_a_choice_that_the_chart_lacks_is_named(browser: Any, address: str, pictures: Any) -> None:
    with pytest.raises(UsageError, match="offers no 'gemm n=7'"):
        pictures._take(browser, address, pictures.Shot("missing", "#ladder figure", choice="gemm n=7"))
