"""Folders and kernel files as sides, and two sides that are the same code."""

import shutil
from pathlib import Path

import pytest

from kernelbench.gate.sides import opened
from tests.gate.repositories import KERNEL, RELU, ROOMS, Repo, refusal, sealed, sides


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


class TestFolders:
    def test_the_working_tree_is_measured_as_it_is_and_its_changes_are_said(self, repo: Repo) -> None:
        repo.write({RELU: "three\n", "kernelbench/kernels/new.py": "", "notes.txt": ""})
        base, head = sides(repo.folder, "HEAD", ".")
        assert base.notes == ()
        assert (head.kind, head.rooms, head.dirty) == ("folder", str(repo.folder), True)
        assert head.notes == (f". has uncommitted changes, which are measured: {RELU}, kernelbench/kernels/new.py",)

    def test_a_clean_working_tree_is_its_commit(self, repo: Repo) -> None:
        _, head = sides(repo.folder, "v1", ".")
        assert (head.commit, head.dirty, head.notes) == (repo.git("rev-parse", "HEAD"), False, ())

    def test_a_new_file_that_is_not_python_changes_nothing(self, repo: Repo) -> None:
        repo.write({"results/run.json": "{}"})
        assert not sides(repo.folder, "v1", ".")[1].dirty

    def test_a_copy_of_the_kernels_needs_no_repository(self, tmp_path: Path) -> None:
        for name in ("before", "after"):
            (tmp_path / name / "kernelbench" / "kernels").mkdir(parents=True)
        base, head = sides(tmp_path, "before", "after")
        assert [side.rooms for side in (base, head)] == [str(tmp_path / "before"), str(tmp_path / "after")]
        assert base.commit == head.commit == ""

    def test_a_copy_inside_a_repository_does_not_bear_its_commit(self, repo: Repo) -> None:
        for name in ("before", "after"):
            shutil.copytree(repo.folder / "kernelbench", repo.folder / "results" / name / "kernelbench")
        base, head = sides(repo.folder, "results/before", "results/after")
        assert base.commit == head.commit == ""
        assert head.notes == ()

    def test_a_folder_that_hides_a_branch_of_its_name_says_so(self, repo: Repo) -> None:
        shutil.copytree(repo.folder / "kernelbench", repo.folder / "main" / "kernelbench")
        base, _ = sides(repo.folder, "main", ".")
        assert base.kind == "folder"
        assert base.notes == ("main is the folder of that name; the git ref is refs/heads/main",)
        assert sides(repo.folder, "refs/heads/main", ".")[0].kind == "ref"

    def test_a_folder_without_kernels_is_refused(self, repo: Repo, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        text = refusal(repo.folder, str(tmp_path / "empty"), ".")
        assert "holds no kernels: there is no kernelbench/kernels in it" in text
        assert "-m FILE.py" in text


class TestSameCode:
    @pytest.mark.parametrize("head", ["HEAD", ".", "main", "feature/faster"])
    def test_one_commit_on_both_sides_is_said(self, repo: Repo, head: str) -> None:
        base, second = sides(repo.folder, "HEAD", head)
        assert base.notes == ()
        assert second.notes == ("the same commit on both sides: this is an A/A",)

    def test_a_changed_tree_is_not_its_commit(self, repo: Repo) -> None:
        repo.write({RELU: "three\n"})
        assert not any("A/A" in note for note in sides(repo.folder, "HEAD", ".")[1].notes)

    def test_a_changed_tree_is_itself(self, repo: Repo) -> None:
        repo.write({RELU: "three\n"})
        assert "the same files on both sides: this is an A/A" in sides(repo.folder, ".", str(repo.folder))[1].notes

    def test_one_file_for_both_refs_is_said(self, tmp_path: Path) -> None:
        repo = Repo(tmp_path / "repo", {"README": "one"})
        repo.commit({"README": "two"})
        (tmp_path / "mine.py").write_text(KERNEL)
        _, head = sides(repo.folder, "HEAD~1", "HEAD", str(tmp_path / "mine.py"))
        assert head.notes == ("the same files on both sides: this is an A/A",)


class TestKernelFiles:
    @pytest.fixture
    def mine(self, tmp_path: Path) -> Repo:
        """A repository of somebody's kernels: fast/mine.py in both commits, fast/later.py in the second only."""
        repo = Repo(tmp_path / "mine", {"fast/mine.py": "one\n"})
        repo.commit({"fast/mine.py": "two\n", "fast/later.py": KERNEL})
        return repo

    @pytest.mark.parametrize(
        ("folder", "given"), [(".", "fast/mine.py"), ("fast", "mine.py"), ("fast", "../fast/mine.py")]
    )
    def test_a_file_is_looked_up_at_its_place_in_each_side(self, mine: Repo, folder: str, given: str) -> None:
        with opened("HEAD~1", ".", [given], mine.folder / folder) as both:
            assert [Path(side.modules[0]).read_text() for side in both] == ["one\n", "two\n"]
            assert [side.rooms for side in both] == ["", ""]

    def test_an_absolute_path_inside_the_repository_is_a_place_in_each_side_too(self, mine: Repo) -> None:
        with opened("HEAD~1", "HEAD", [str(mine.folder / "fast" / "mine.py")], mine.folder) as both:
            assert [Path(side.modules[0]).read_text() for side in both] == ["one\n", "two\n"]

    def test_a_file_outside_the_repository_serves_both_sides(self, repo: Repo, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text(KERNEL)
        base, head = sides(repo.folder, "v1", ".", "../mine.py")
        assert base.modules == head.modules == (str(tmp_path / "mine.py"),)

    def test_a_side_lacks_what_only_the_other_has(self, mine: Repo) -> None:
        base, head = sides(mine.folder, "HEAD~1", "HEAD", "fast/mine.py", "fast/later.py")
        assert (base.lacks, head.lacks) == (("fast/later.py",), ())
        assert (len(base.modules), len(head.modules)) == (1, 2)

    def test_a_file_that_neither_side_has_is_refused(self, mine: Repo) -> None:
        text = refusal(mine.folder, "HEAD~1", "HEAD", "fast/mien.py")
        assert text.startswith("fast/mien.py: neither HEAD~1 nor HEAD has this kernel file")

    def test_refs_without_kernels_and_without_a_file_are_refused(self, mine: Repo) -> None:
        assert "HEAD~1 holds no kernels" in refusal(mine.folder, "HEAD~1", "HEAD")

    def test_folders_without_a_repository_hold_the_file_at_the_same_place(self, tmp_path: Path) -> None:
        for name in ("before", "after"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "mine.py").write_text(name)
        with opened("before", "after", ["mine.py"], tmp_path) as both:
            assert [Path(side.modules[0]).read_text() for side in both] == ["before", "after"]

    def test_two_kernel_files_are_two_sides(self, tmp_path: Path) -> None:
        for name in ("before.py", "after.py", "helper.py"):
            (tmp_path / name).write_text(KERNEL)
        base, head = sides(tmp_path, "before.py", "after.py", "helper.py")
        assert (base.kind, base.rooms) == ("file", "")
        assert [Path(module).name for module in base.modules] == ["before.py", "helper.py"]
        assert [Path(module).name for module in head.modules] == ["after.py", "helper.py"]

    def test_a_file_against_a_ref_is_looked_up_there(self, mine: Repo) -> None:
        with opened("HEAD~1", "fast/mine.py", (), mine.folder) as both:
            assert [Path(side.modules[0]).read_text() for side in both] == ["one\n", "two\n"]

    def test_a_file_against_a_ref_that_lacks_it_leaves_that_side_without(self, mine: Repo) -> None:
        base, head = sides(mine.folder, "HEAD~1", "fast/later.py")
        assert (base.modules, len(base.lacks), len(head.modules)) == ((), 1, 1)

    def test_a_file_of_another_kind_is_no_side(self, mine: Repo) -> None:
        mine.write({"run.json": "{}"})
        assert "results are compared by `kernelbench compare`" in refusal(
            mine.folder, "run.json", "HEAD", "fast/mine.py"
        )
