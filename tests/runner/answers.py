"""What fake workers answer to bring about an end."""

from kernelbench.protocol import Measure, Request
from tests.runner.fakes import Answer


def interrupts(after: int) -> Answer:
    """Ctrl-C at the measurement that follows the first ``after`` ones."""
    seen = []

    def reply(message: Request) -> None:
        if isinstance(message, Measure):
            seen.append(message)
            if len(seen) > after:
                raise KeyboardInterrupt

    return reply
