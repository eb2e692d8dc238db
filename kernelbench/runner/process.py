"""One worker process as its parent sees it: started, asked, watched and, if need be, killed.

A kernel may crash, hang, leave without a word or eat all memory. Whatever happens, the parent gets an
answer: the worker's own, or a ``Died`` that says in which stage it ended and why.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Self

import msgspec
from msgspec import UNSET, Struct

from kernelbench.errors import WorkerError
from kernelbench.protocol import Exit, Reply, Request, Stage, WorkerSetup
from kernelbench.runner.ending import ending, first_stage, resident_bytes
from kernelbench.runner.environment import worker_environment
from kernelbench.runner.output import Tail
from kernelbench.units import seconds, size_bytes

WORKER = (sys.executable, "-m", "kernelbench.worker")

TICK_S = 0.2
"""How often deadline and memory are looked at."""

CLOSE_S = 2.0
"""How long a worker may take to leave when told to."""

_REAP_S = 5.0
"""How long the kernel may take to end a killed process before we stop waiting for it."""


class Died(Struct, frozen=True):
    """The worker ended instead of answering."""

    stage: str
    """The stage it last announced."""
    message: str
    """Why, in words ("killed by SIGSEGV")."""


class WorkerProcess:
    """A worker in its own session, so that Ctrl-C reaches only the parent and a kill reaches all of it.

    ``memory_bytes`` bounds its resident memory; ``command`` is what to start (tests put stubs there).
    Raises ``WorkerError`` when the process cannot be started at all.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        *,
        memory_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        command: Sequence[str] = WORKER,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``variables`` are added to its environment."""
        self._memory_bytes = memory_bytes
        self._clock = clock
        self._stage = "import"
        self._buffer = bytearray()
        self._death: Died | None = None
        self._decoder: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)
        self._errors = Tail()
        request_read, self._requests = os.pipe()
        self._replies, reply_write = os.pipe()
        os.set_blocking(self._requests, False)
        try:
            self._process = subprocess.Popen(
                [*command, "--setup", msgspec.json.encode(setup).decode()],
                stdin=subprocess.DEVNULL,
                stdout=self._errors.fd,
                stderr=self._errors.fd,
                pass_fds=(request_read, reply_write, *(() if setup.memory is UNSET else (setup.memory.fd,))),
                env={**worker_environment(setup, memory_bytes, request_read, reply_write), **variables},
                start_new_session=True,
            )
        except OSError as error:
            self._close_files()
            raise WorkerError(f"cannot start a worker process ({command[0]}): {error.strerror}") from error
        finally:
            os.close(request_read)
            os.close(reply_write)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def start(self, timeout_s: float) -> Reply | Died:
        """Wait for the worker's ``Ready``."""
        return self._exchange(b"", timeout_s)

    def request(self, message: Request, timeout_s: float) -> Reply | Died:
        """Ask, and wait at most ``timeout_s`` seconds for the answer. After a death: that death again."""
        self._stage = first_stage(message)
        self._errors.mark()
        return self._exchange(msgspec.json.encode(message) + b"\n", timeout_s)

    def kill(self) -> None:
        """End the worker and everything it started, now."""
        # The group outlives its leader while a member lives; it is gone when nobody is left to kill.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def pause(self) -> None:
        """Stop the worker and everything it started where it is: an idle pool of threads spins. It stands on return."""
        # Gone, and where it was already reaped no child of ours: there is nothing to stop.
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.killpg(self._process.pid, signal.SIGSTOP)
            # A signal takes effect when its receiver next runs; until then it would run beside what is timed.
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """Tell the worker to leave, wait briefly, then make sure of it. May be called again."""
        if self._requests < 0:
            return
        if self._death is None:
            # A worker that is already gone, or no longer reads, is killed below all the same.
            with contextlib.suppress(BrokenPipeError, BlockingIOError):
                os.write(self._requests, msgspec.json.encode(Exit()) + b"\n")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(CLOSE_S)
        self.kill()
        self._reap()
        self._close_files()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        self.close()

    def _exchange(self, outgoing: bytes, timeout_s: float) -> Reply | Died:
        if self._death is not None:
            return self._death
        deadline = self._clock() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._replies, selectors.EVENT_READ)
            if outgoing:
                selector.register(self._requests, selectors.EVENT_WRITE)
            while True:
                # Asked before looking at the pipe: what it said before it died is then there to be read.
                gone = self._process.poll() is not None
                ready = {key.fd for key, _ in selector.select(max(0.0, min(TICK_S, deadline - self._clock())))}
                self._errors.shrink()
                if self._requests in ready:
                    outgoing = self._send(outgoing)
                    if not outgoing:
                        selector.unregister(self._requests)
                if self._replies in ready:
                    answer = self._receive()
                elif gone:
                    answer = self._died_alone()
                else:
                    answer = None
                answer = answer or self._trouble(deadline, timeout_s)
                if answer is not None:
                    return answer

    def _send(self, outgoing: bytes) -> bytes:
        """Write what fits into the pipe; what remains. A dead reader shows as the end of the replies."""
        try:
            return outgoing[os.write(self._requests, outgoing) :]
        except BrokenPipeError:
            return b""

    def _receive(self) -> Reply | Died | None:
        """Read what is there; the answer if it is complete."""
        chunk = os.read(self._replies, 1 << 16)
        if not chunk:
            return self._died_alone()
        self._buffer += chunk
        while b"\n" in self._buffer:
            line, _, rest = self._buffer.partition(b"\n")
            self._buffer = rest
            try:
                reply = self._decoder.decode(line)
            except msgspec.MsgspecError as error:
                return self._put_down(f"wrote something into its reply pipe that is no answer ({error}): killed")
            if not isinstance(reply, Stage):
                return reply
            self._stage = reply.name
        return None

    def _trouble(self, deadline: float, timeout_s: float) -> Died | None:
        """The reason to kill it now, carried out; None when there is none."""
        used = resident_bytes(self._process.pid)
        if used > self._memory_bytes:
            return self._put_down(f"used more than {size_bytes(self._memory_bytes)} of memory: killed")
        if self._clock() >= deadline:
            return self._put_down(f"no answer within {seconds(timeout_s)}: killed")
        return None

    def _put_down(self, why: str) -> Died:
        self.kill()
        self._reap()
        self._death = Died(self._stage, why)
        return self._death

    def _died_alone(self) -> Died:
        """It closed its end: dead, or about to be; why, from its exit status and last words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        status = self._process.poll()
        self.kill()
        self._reap()
        words = self._errors.last_line()
        said = f' (last words: "{words}")' if words else ""
        self._death = Died(self._stage, ending(status) + said)
        return self._death

    def _reap(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_S)

    def _close_files(self) -> None:
        os.close(self._requests)
        os.close(self._replies)
        self._requests = self._replies = -1
        self._errors.close()
