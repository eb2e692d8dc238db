"""What can go wrong, as a tree. Domain code raises these; only ``cli`` turns them into exit codes.

KernelbenchError            70  a fault of ours, or of the disk under us
+-- UsageError               2  unknown kernel, size, option value
|   +-- ConfigError          2  a config file: names file, key, what was given, what is accepted
|   +-- ResultFileError      2  unreadable, truncated or foreign result file
+-- IncomparableError        5  different machines or methods, or nothing in common
+-- MissingBaseline          6  no baseline of that name for this machine
+-- StoreError              70  writing failed (full disk); what was there before is intact
+-- WorkerError             70  the harness itself broke, not a kernel
"""


class KernelbenchError(Exception):
    """Base of all our errors; its text is one line for the user: what, and what to do."""

    exit_code = 70


class UsageError(KernelbenchError):
    """The user asked for something that does not exist or cannot be."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file is wrong."""


class ResultFileError(UsageError):
    """A result file cannot be read."""


class IncomparableError(KernelbenchError):
    """Two results have nothing that may be compared."""

    exit_code = 5


class MissingBaseline(KernelbenchError):
    """There is no such baseline; the text says which there are."""

    exit_code = 6


class StoreError(KernelbenchError):
    """A result could not be written."""


class WorkerError(KernelbenchError):
    """A worker process broke in our own code."""
