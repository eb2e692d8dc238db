"""Recorded machines, under a name that leaves ``machine`` to the builder of the standard one."""

from tests.machine.conftest import machine as recorded_machine

__all__ = ["recorded_machine"]
