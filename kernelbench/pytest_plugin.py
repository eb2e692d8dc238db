"""The pytest fixture ``kernelbench``: assertions on how fast a function is, judged rather than compared.

    def test_relu_is_near_its_roof(kernelbench):
        result = kernelbench(my_relu, (x, y), flop=4096, bytes=2 * x.nbytes)
        assert result.fraction_of_roof > 0.7
        assert result.faster_than(lambda x, y: np.maximum(x, 0, out=y), by=1.2)

A test is skipped as "not decidable" where this host cannot tell. Loaded by pytest at every start: it imports nothing
heavy before the fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kernelbench.api.judged import Judged
    from kernelbench.model import Work


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of this plugin."""
    group = parser.getgroup("kernelbench", "kernelbench: how fast functions are")
    group.addoption(
        "--kernelbench-disable",
        action="store_true",
        help="Skip the tests that use the fixture kernelbench (on a machine that shall not measure).",
    )


class Bench:
    """The fixture: call it, or its ``measure``."""

    def __call__(
        self,
        fn: Callable[..., Any],
        args: Sequence[Any] = (),
        *,
        flop: float | None = None,
        bytes: float | None = None,
        work: Work | None = None,
        dtype: str | None = None,
        threads: int = 1,
        name: str = "",
    ) -> Judged:
        """Time ``fn(*args)`` in rounds. Arguments and errors are those of ``kernelbench.measure``."""
        from kernelbench.api.judged import judge
        from kernelbench.api.timing import declare
        from kernelbench.api.turns import Call

        declared = declare(flop=flop, bytes=bytes, work=work, dtype=dtype, threads=threads, name=name)
        return judge(Call(fn, args), declared, pytest.skip.Exception)

    measure = __call__


@pytest.fixture
def kernelbench(request: pytest.FixtureRequest) -> Bench:
    """Time a function and assert on it: ``kernelbench(fn, args, flop=…, bytes=…).fraction_of_roof > 0.7``."""
    if request.config.getoption("--kernelbench-disable"):
        pytest.skip("--kernelbench-disable: nothing is measured")
    return Bench()
