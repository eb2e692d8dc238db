"""Progress says where the run is and how long it will take, on terminals and in logs."""

import io

from msgspec import structs

from kernelbench.runner.job import Position
from kernelbench.runner.progress import Eta, Lines, Quiet, TerminalBar, progress_for
from tests.runner.fakes import Clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at(done: int, phase: str = "round 1/6") -> Position:
    return Position(phase, done, 240, f"case-{done}")


def test_a_log_gets_the_round_the_count_the_case_and_the_time_left() -> None:
    clock, log = Clock(), io.StringIO()
    lines = Lines(log, clock)
    lines.show(at(0))
    clock.now_s += 6
    lines.show(at(40))
    assert log.getvalue().splitlines() == ["round 1/6  0/240  case-0", "round 1/6  40/240  case-40  ETA 30 s"]


def test_a_log_gets_no_more_than_a_line_in_five_seconds() -> None:
    clock, log = Clock(), io.StringIO()
    lines = Lines(log, clock)
    for done in range(20):
        lines.show(at(done))
        clock.now_s += 1
    assert len(log.getvalue().splitlines()) == 4


def test_the_time_left_counts_from_the_start_of_measuring_not_of_compiling() -> None:
    clock = Clock()
    eta = Eta(clock)
    eta.text(at(0, "compiling"))
    clock.now_s += 100
    eta.text(at(0))
    clock.now_s += 10
    assert eta.text(at(10)) == "4 min"


def test_a_resumed_run_does_not_credit_itself_with_what_was_done_before() -> None:
    clock = Clock()
    eta = Eta(clock)
    assert eta.text(at(200)) == ""
    clock.now_s += 10
    assert eta.text(at(210)) == "30 s"


def test_where_the_rest_takes_another_time_none_is_told() -> None:
    clock = Clock()
    eta = Eta(clock)
    eta.text(at(0))
    clock.now_s += 10
    assert eta.text(structs.replace(at(10), steady=False)) == ""


def test_a_warning_cannot_steer_the_terminal() -> None:
    log = io.StringIO()
    Quiet(log).warn("bad \x1b[2Jkernel")
    assert log.getvalue() == "warning: bad ?[2Jkernel\n"


def test_quiet_shows_warnings_only() -> None:
    log = io.StringIO()
    quiet = progress_for(Clock(), quiet=True, stream=log)
    quiet.show(at(1))
    quiet.close()
    assert log.getvalue() == ""


def test_a_pipe_gets_lines_and_a_terminal_a_bar() -> None:
    assert isinstance(progress_for(Clock(), quiet=False, stream=io.StringIO()), Lines)
    bar = progress_for(Clock(), quiet=False, stream=Terminal())
    bar.close()
    assert isinstance(bar, TerminalBar)


def test_the_bar_shows_count_and_case_and_prints_warnings() -> None:
    terminal = Terminal()
    bar = TerminalBar(terminal, Clock())
    bar.show(at(37))
    bar.warn("something [odd]")
    bar.close()
    assert "37/240" in terminal.getvalue()
    assert "case-37" in terminal.getvalue()
    assert "warning: something [odd]" in terminal.getvalue()
