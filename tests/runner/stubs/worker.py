"""A worker without kernels: speaks the protocol and, when asked anything, does what its first argument says."""

import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

behaviour = sys.argv[1]
requests = os.fdopen(int(os.environ["KERNELBENCH_REQUEST_FD"]), "rb")
replies = os.fdopen(int(os.environ["KERNELBENCH_REPLY_FD"]), "wb", buffering=0)


def say(kind: str, **fields: object) -> None:
    replies.write(json.dumps({"type": kind, **fields}).encode() + b"\n")


def hoard() -> None:
    kept = []
    while True:
        kept.append(b"x" * (1 << 20))


def act() -> None:
    say("Stage", name="timing")
    match behaviour:
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            print("the last thing it said", file=sys.stderr, flush=True)
            os._exit(3)
        case "hang":
            while True:
                pass
        case "hog":
            hoard()
        case "chatter":
            for _ in range(2000):
                print("x" * 1023, flush=True)
            say("CaseFailed", stage="verify", message="done talking")
        case "garbage":
            replies.write(b"this is not an answer\n")
            signal.pause()
        case "closed":
            replies.close()
            signal.pause()
        case "environment":
            said = {
                name: os.environ.get(name, "")
                for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "KERNELBENCH_WORKER_MEMORY", "PYTHONSAFEPATH")
            }
            say("CaseFailed", stage="verify", message=json.dumps(said))
        case _:
            say("CaseFailed", stage="verify", message=behaviour)


ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(os.environ["KERNELBENCH_PARENT_PID"]):
    os._exit(1)
if behaviour == "stillborn":
    os._exit(9)
say("Ready", pid=os.getpid(), thread_layer="none", source_hash="stub", timer_resolution_s=1e-9, empty_call_s=1e-9)
if behaviour == "deaf":
    signal.pause()
for line in requests:
    if json.loads(line)["type"] == "Exit":
        break
    act()
