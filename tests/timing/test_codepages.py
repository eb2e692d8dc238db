"""Code on pages of a shared memory: found, moved there, overwritten by another's, put back."""

import ctypes
import errno
import mmap
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernelbench.native.jit import Code, compile_ir
from kernelbench.timing import codepages
from kernelbench.timing.codepages import CodeRoom, SharedCode, code_pages, made_since, room_of

pytestmark = pytest.mark.skipif(not codepages.available(), reason="code is moved on x86-64 only")


@pytest.fixture
def room() -> Iterator[CodeRoom]:
    with room_of(4 * mmap.PAGESIZE) as made:
        yield made


def answering(answer: int) -> tuple[Code, list[range]]:
    """Code of a function that returns ``answer``, and where it lies."""
    before = code_pages()
    code = compile_ir(f"define i64 @answer() {{ ret i64 {answer} }}")
    return code, made_since(before)


def ask(code: Code) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_int64)(code.address("answer"))())


def file_of(address: int) -> str:
    """What /proc says of the memory at ``address``: its permissions, and its file."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, permissions, *rest = line.split()
        start, stop = (int(end, 16) for end in span.split("-"))
        if start <= address < stop:
            return f"{permissions} {' '.join(rest[3:])}"
    return "nothing"


def test_the_pages_of_what_was_compiled_since_are_found() -> None:
    code, made = answering(1)
    assert sum(code.address("answer") in pages for pages in made) == 1
    assert all(pages.start % mmap.PAGESIZE == len(pages) % mmap.PAGESIZE == 0 for pages in made)


def test_where_nothing_was_compiled_no_page_is_new() -> None:
    assert made_since(code_pages()) == []


def test_moved_code_runs_at_its_old_address_from_the_room(room: CodeRoom) -> None:
    code, made = answering(17)
    before = code.address("answer")
    SharedCode(made, room)
    assert (code.address("answer"), ask(code)) == (before, 17)
    assert file_of(before).startswith("r-xs /memfd:")


def test_two_in_one_room_lie_on_the_very_same_bytes_and_each_is_itself_once_written(room: CodeRoom) -> None:
    one, other = answering(1), answering(2)
    first, second = SharedCode(one[1], room), SharedCode(other[1], room)
    # The second has overwritten the first.
    assert (ask(one[0]), ask(other[0])) == (2, 2)
    first.write()
    assert (ask(one[0]), ask(other[0])) == (1, 1)
    second.write()
    assert (ask(one[0]), ask(other[0])) == (2, 2)


def test_code_outlives_the_descriptor_of_its_room() -> None:
    code, made = answering(3)
    with room_of(mmap.PAGESIZE * 4) as room:
        shared = SharedCode(made, room)
    shared.write()
    assert ask(code) == 3


def test_code_that_does_not_fit_stays_where_it_is() -> None:
    code, made = answering(4)
    with room_of(0) as room, pytest.raises(OSError, match="of code do not fit into 0") as raised:
        SharedCode(made, room)
    assert raised.value.errno == errno.ENOMEM
    assert (ask(code), file_of(code.address("answer"))) == (4, "r-xp ")


def test_where_shared_memory_may_not_be_executed_the_code_stays_where_it_is(
    room: CodeRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    code, made = answering(5)
    monkeypatch.setattr(mmap, "mmap", refused)
    with pytest.raises(PermissionError):
        SharedCode(made, room)
    assert (ask(code), file_of(code.address("answer"))) == (5, "r-xp ")


def test_a_page_that_cannot_be_mapped_says_so(room: CodeRoom) -> None:
    with pytest.raises(OSError, match="cannot map code at 0x1: Invalid argument"):
        codepages._map(range(1, 1 + mmap.PAGESIZE), room.fd, room.offset)
