"""Real processes and real kernels, in caches and temporary folders of their own."""

import os
from collections.abc import Iterator

import pytest

from tests.integration.tool import Tool, Workers


@pytest.fixture(scope="package", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One JIT cache for all these tests, and a host lock that no other run on this host holds."""
    with pytest.MonkeyPatch.context() as patched:
        meant_for_others = ("KERNELBENCH_", "NUMBA_", "PYTHONDONTWRITEBYTECODE")
        for name in [name for name in os.environ if name.startswith(meant_for_others)]:
            patched.delenv(name)
        for command in ("RUN", "AB", "CALIBRATE", "TUNE"):
            patched.setenv(f"KERNELBENCH_{command}_WAIT_QUIET", "0")
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patched.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
        yield


@pytest.fixture(scope="module")
def tool() -> Tool:
    """The command line, each call a process."""
    return Tool()


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Starts worker processes and ends them with the module."""
    started = Workers()
    yield started
    started.end()
