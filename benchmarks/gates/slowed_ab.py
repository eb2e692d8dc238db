"""`kernelbench ab . .` with some of HEAD's kernels slowed: python slowed_ab.py JSON (``ours.Wanted``).

A process of its own, as the command is; what it writes is the command's result file.
"""

import sys
from pathlib import Path

import msgspec

# Started by its path, so that only this folder is on the import path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gates.ours import Wanted
from kernelbench.cli.run import alone, progress_of
from kernelbench.config import Flags, load, override
from kernelbench.gate.session import measure, prepare
from kernelbench.gate.sides import opened
from kernelbench.gate.verdicts import comparison, result
from kernelbench.store.files import write_result
from kernelbench.store.lock import HostLock
from kernelbench.thresholds import Thresholds


def main(wanted: Wanted) -> None:
    """Compare the working tree with itself and write the file."""
    flags = Flags(seed=wanted.seed, cases=wanted.cases or msgspec.UNSET)
    config = override(load(Path(wanted.config)), flags)
    thresholds = Thresholds(wanted.threshold)
    with HostLock() as lock, opened(".", ".", config.modules, Path.cwd()) as sides, progress_of(quiet=True) as progress:
        alone(lock)
        session = prepare(config, sides, progress)
        measured = measure(
            session,
            thresholds,
            progress,
            time_budget_s=wanted.time_budget_s,
            private=wanted.private,
            slowdowns=wanted.slowdowns,
        )
        write_result(Path(wanted.out), result(measured, comparison(measured, wanted.threshold)))


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Wanted))
