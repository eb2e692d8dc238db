"""No test waits for the host it runs on to be quiet, nor reports what that host does meanwhile."""

import pytest

from kernelbench.machine import quiet
from kernelbench.model import Unknown

NOTHING_KNOWN = quiet.Quietness(*[Unknown("a test asks no host")] * 8)


@pytest.fixture(autouse=True)
def _no_look_at_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("RUN", "AB", "CALIBRATE", "TUNE"):
        monkeypatch.setenv(f"KERNELBENCH_{command}_WAIT_QUIET", "0")
    monkeypatch.setattr(quiet, "look", lambda: NOTHING_KNOWN)
