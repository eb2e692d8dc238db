"""What BASE and HEAD may be, and what is said when they are something else: refs, labels, any text."""

import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelbench.errors import KernelbenchError
from kernelbench.gate.sides import Side, opened
from tests.gate.repositories import RELU, ROOMS, Repo, git, refusal, sealed, sides


@pytest.fixture(autouse=True)
def _sealed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sealed(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A checkout of kernelbench with two commits, the first of them tagged v1, and a branch for each."""
    made = Repo(tmp_path / "repo", {**ROOMS, RELU: "one\n"})
    made.git("tag", "--annotate", "v1", "--message", "the first")
    made.commit({RELU: "two\n"}, "the second")
    made.git("branch", "feature/faster")
    return made


class TestRefs:
    @pytest.mark.parametrize("ref", ["v1", "HEAD~1", "main^", "v1^{}", ":/a change", "main@{1}"])
    def test_every_way_of_naming_a_commit_is_a_ref(self, repo: Repo, ref: str) -> None:
        base, _ = sides(repo.folder, ref, ".")
        assert (base.kind, base.commit, base.label, base.dirty) == ("ref", repo.first, ref, False)

    def test_digits_are_a_ref(self, repo: Repo) -> None:
        assert sides(repo.folder, repo.first[:9], ".")[0].commit == repo.first

    def test_the_kernels_of_a_ref_are_those_of_its_commit(self, repo: Repo) -> None:
        with opened("v1", "main", (), repo.folder) as both:
            assert [(Path(side.rooms) / RELU).read_text() for side in both] == ["one\n", "two\n"]

    def test_a_ref_can_be_named_from_a_folder_inside(self, repo: Repo) -> None:
        base, head = sides(repo.folder / "kernelbench" / "kernels", "v1", ".")
        assert (base.commit, head.rooms) == (repo.first, str(repo.folder))

    def test_rooms_below_the_top_of_the_repository_are_found_from_there(self, tmp_path: Path) -> None:
        repo = Repo(tmp_path / "repo", {f"tools/{name}": text for name, text in ROOMS.items()})
        base, head = sides(repo.folder / "tools", "HEAD", ".")
        assert (Path(base.rooms).name, head.rooms) == ("tools", str(repo.folder / "tools"))

    def test_an_unknown_ref_is_named_with_the_nearest_ones(self, repo: Repo) -> None:
        text = refusal(repo.folder, "feature/fastr")
        assert f"'feature/fastr' is no kernel file (.py), no folder, no Python and no git ref of {repo.folder}" in text
        assert "nearest refs: feature/faster" in text
        assert "shallow" not in text

    def test_a_branch_that_only_the_remote_has_is_suggested(self, repo: Repo, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--branch", "v1", str(repo.folder), "clone")
        assert "nearest refs: origin/main" in refusal(tmp_path / "clone", "main")

    def test_a_shallow_clone_is_told_how_to_get_the_ref(self, repo: Repo, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--depth=1", f"file://{repo.folder}", "clone")
        text = refusal(tmp_path / "clone", "HEAD^1")
        assert "this clone is shallow" in text
        assert "git fetch --unshallow" in text
        assert "fetch-depth: 0" in text

    def test_a_commit_that_a_shallow_clone_left_out_is_unknown_too(self, repo: Repo, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--depth=1", f"file://{repo.folder}", "clone")
        assert "shallow" in refusal(tmp_path / "clone", repo.first)

    def test_a_bare_repository_gives_refs_and_names_those_it_lacks(self, repo: Repo, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--bare", str(repo.folder), "bare.git")
        base, head = sides(tmp_path / "bare.git", "v1", "main")
        assert (base.commit, head.notes) == (repo.first, ())
        assert "nearest refs: main" in refusal(tmp_path / "bare.git", "mains", "v1")

    @pytest.mark.parametrize("ref", ["--help", "-x", "--upload-pack=touch pwned"])
    def test_nothing_is_taken_for_an_option_of_git(self, repo: Repo, ref: str) -> None:
        assert "cannot be a git ref" in refusal(repo.folder, ref, "main")

    @pytest.mark.parametrize("spec", ["", " ", "a\0b"])
    def test_an_empty_name_is_not_the_current_folder(self, repo: Repo, spec: str) -> None:
        assert "names no side" in refusal(repo.folder, spec, "main")
        assert "names no side" in refusal(repo.folder, "main", spec)

    @pytest.mark.parametrize(("ref", "kind"), [("HEAD:kernelbench", "tree"), (f"HEAD:{RELU}", "blob")])
    def test_what_is_no_commit_is_named_for_what_it_is(self, repo: Repo, ref: str, kind: str) -> None:
        assert f"names a {kind}, not a commit" in refusal(repo.folder, ref)

    def test_an_ambiguous_name_is_said(self, repo: Repo) -> None:
        repo.git("branch", "v1")
        assert sides(repo.folder, "v1", ".")[0].notes == (
            "v1 was looked up with a warning: refname 'v1' is ambiguous.",
        )

    def test_outside_of_a_repository_a_ref_cannot_be_looked_up(self, tmp_path: Path) -> None:
        assert "lies in no git repository" in refusal(tmp_path, "main")

    def test_a_repository_that_git_refuses_is_told_in_gits_words(
        self, repo: Repo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        text = refusal(repo.folder, "v1")
        assert "git refuses: detected dubious ownership" in text
        assert "git config --global --add safe.directory" in text

    def test_a_repository_without_a_commit_has_no_refs(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "empty")
        assert "no Python and no git ref of" in refusal(tmp_path / "empty", "HEAD")

    def test_without_git_a_ref_is_refused_and_folders_still_serve(
        self, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(repo.folder, tmp_path / "copy")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "git is not installed" in refusal(repo.folder, "main")
        base, head = sides(repo.folder, str(tmp_path / "copy"), ".")
        assert (base.commit, head.rooms) == ("", str(repo.folder))
        assert ". is of an unknown commit: git is not installed" in head.notes[0]

    def test_uncommitted_changes_that_a_ref_leaves_out_are_said(self, repo: Repo) -> None:
        repo.write({RELU: "three\n"})
        base, head = sides(repo.folder, "v1", "HEAD")
        assert base.notes == ()
        assert head.notes == (f"HEAD leaves out uncommitted changes ({RELU}); give the folder . to measure them",)


def test_a_cancelled_job_leaves_no_checkout(repo: Repo) -> None:
    def work() -> None:
        with opened("v1", "main", (), repo.folder):
            assert len(repo.working_trees()) == 3
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert repo.working_trees() == [str(repo.folder)]


class TestLabels:
    def test_a_label_stands_before_the_spec(self, repo: Repo) -> None:
        base, head = sides(repo.folder, "before=v1", "after=.")
        assert (base.label, base.commit, head.label) == ("before", repo.first, "after")

    def test_a_path_that_exists_is_no_label(self, repo: Repo) -> None:
        shutil.copytree(repo.folder, repo.folder.parent / "a=b")
        assert sides(repo.folder.parent, "a=b", "repo")[0].label == "a=b"

    def test_the_title_tells_label_commit_and_changes(self) -> None:
        commit = "0123456789abcdef"
        assert Side("main", "ref", commit=commit).title == "main (012345678)"
        assert Side(".", "folder", commit=commit, dirty=True).title == ". (012345678, changed)"
        assert Side("a.py", "file").title == "a.py"
        assert Side("0123456", "ref", commit=commit).title == "0123456"
        assert Side("\x1b[2J", "ref").title == "?[2J"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=st.text(max_size=40) | st.text("@{}^~:/=.-HEAD01v ", max_size=12) | st.just("x" * 5000))
def test_any_text_is_a_side_or_one_clear_line(repo: Repo, spec: str) -> None:
    try:
        said = sides(repo.folder, spec, ".")[0].kind
    except KernelbenchError as error:
        said = str(error)
    assert said
    assert said.isprintable()
    assert repo.working_trees() == [str(repo.folder)]
