"""Asking a worker what there is: a user's module that cannot be imported is the user's to correct."""

import pytest

from kernelbench.errors import UsageError, WorkerError
from kernelbench.protocol import Broken, Catalogue, CatalogueReply, Request, WorkerSetup
from kernelbench.runner.library import librarian, sparing_librarian
from kernelbench.runner.process import Died
from tests.runner.fakes import HASH, Clock, FakeWorker, FakeWorkers, case

MINE = ("/home/me/mine.py",)


def answering(answer: object) -> FakeWorkers:
    def reply(message: Request) -> object:
        return answer if isinstance(message, Catalogue) else None

    return FakeWorkers(Clock(), reply)  # type: ignore[arg-type]


def test_it_tells_what_there_is_and_under_which_hash() -> None:
    workers = FakeWorkers(Clock())
    with librarian((), workers) as library:
        assert [variant.name for variant in library.catalogue().variants] == ["op/a", "op/b"]
        assert [info.case_id for info in library.describe((case("a"),))] == [case("a").id]
        assert library.source_hash == HASH
    assert not workers.made[0].open


def test_a_module_that_kills_its_process_is_named() -> None:
    workers = answering(Died("import", "killed by SIGSEGV"))
    with (
        librarian(MINE, workers) as library,
        pytest.raises(UsageError, match=r"/home/me/mine\.py: .*killed by SIGSEGV"),
    ):
        library.catalogue()
    assert not workers.made[0].open


def test_a_module_that_kills_its_process_before_the_first_word_is_named() -> None:
    workers = FakeWorkers(Clock())
    workers.at_start = Died("import", "exited with status 1 without answering")
    with pytest.raises(UsageError, match=r"/home/me/mine\.py"), librarian(MINE, workers):
        pass
    assert not workers.made[0].open


def test_a_module_that_cannot_be_imported_is_named_with_the_reason() -> None:
    workers = FakeWorkers(Clock())
    workers.broken_modules = (("mine.py", "SyntaxError: invalid syntax (line 3)"), ("other.py", "no"))
    with (
        librarian(MINE, workers) as library,
        pytest.raises(UsageError, match=r"mine\.py: cannot be imported: SyntaxError.*and 1 more"),
    ):
        library.catalogue()


@pytest.mark.parametrize("answer", [Died("import", "killed by SIGILL"), Broken("KeyError")])
def test_without_modules_of_the_user_the_fault_is_ours(answer: object) -> None:
    with librarian((), answering(answer)) as library, pytest.raises(WorkerError):
        library.catalogue()


def test_an_answer_of_another_kind_is_our_fault() -> None:
    workers = FakeWorkers(Clock())
    workers.at_start = CatalogueReply((), ())
    with pytest.raises(WorkerError, match="instead of Ready"), librarian((), workers):
        pass


def test_a_sparing_librarian_tells_what_is_broken_and_goes_on() -> None:
    workers = FakeWorkers(Clock())
    workers.broken_modules = (("mine.py", "SyntaxError: line 3"),)
    with sparing_librarian(MINE, workers) as library:
        assert library.modules == MINE
        assert library.offered().broken_modules == (("mine.py", "SyntaxError: line 3"),)
        assert len(library.offered().variants) == 2


def test_a_sparing_librarian_leaves_out_the_module_that_ends_its_process() -> None:
    class Deadly(FakeWorkers):
        def __call__(self, setup: WorkerSetup) -> FakeWorker:
            self.at_start = Died("import", "killed by SIGSEGV") if "bad.py" in setup.modules else None
            return super().__call__(setup)

    workers = Deadly(Clock())
    with sparing_librarian(("good.py", "bad.py", "fine.py"), workers) as library:
        assert library.modules == ("good.py", "fine.py")
        ((module, why),) = library.offered().broken_modules
    assert module == "bad.py"
    assert "killed by SIGSEGV" in why
    assert not any(worker.open for worker in workers.made)
