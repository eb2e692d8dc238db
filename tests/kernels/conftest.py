"""Compiled kernels are kept in one folder for the whole session, so that parallel test processes share them."""

import os
from collections.abc import Iterator

import numba
import pytest

from kernelbench.worker.jitcache import JitCache, source_hash
from tests.kernels.running import VARIANTS


@pytest.fixture(scope="session", autouse=True)
def shared_machine_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    base = tmp_path_factory.getbasetemp()
    # Under pytest-xdist each process has its own folder below one that they share.
    home = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    before = numba.config.CACHE_DIR
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        cache = JitCache(source_hash(), "native")
    for variant in VARIANTS.values():
        if variant.compiled:
            cache.enable(variant.function)
    yield
    numba.config.CACHE_DIR = before
