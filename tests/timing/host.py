"""A host of invented neighbours, for tests of sampling: no clock is read and nothing sleeps."""

from collections.abc import Callable, Iterable
from itertools import repeat

from hypothesis import settings

from kernelbench.protocol import Effort
from kernelbench.timing.sampling import LOOK_S, Batch, Observation, Samples, sample

derandomized = settings(max_examples=60, deadline=None, derandomize=True, database=None)

SLICE = 2**-14  # s; powers of two, so that sums are exact
SAMPLE = 2**-10  # s: 16 slices
SIZE = 16
HZ = 3e9
ALONE, SHARED = 4.0, 2.5  # independent adds a cycle
AMPLE = 1e6  # s: time never runs out


class Host:
    """A kernel and what is observed beside it. The host's time is counted in slices: moment 0, 1, 2...

    ``seconds(k, m)`` is what the k-th slice that is kept takes, at moment m; ``adds(m)`` what a look then sees;
    ``switched`` are the moments at which it is preempted, ``clocks`` what the clock shows, one a batch.
    """

    def __init__(
        self,
        seconds: Callable[[int, int], float] = lambda k, m: SLICE,
        adds: Callable[[int], float] = lambda m: ALONE,
        switched: Iterable[int] = (),
        clocks: Iterable[float] = repeat(HZ),
        faults: int = 0,
        sees_neighbours: bool = True,
    ) -> None:
        self.seconds, self.adds, self.switched, self.faults = seconds, adds, tuple(switched), faults
        self._clocks, self.sees_neighbours = iter(clocks), sees_neighbours
        self._moment, self._last = 0.0, range(0)
        self.kept: list[int] = []
        """Moments of the slices that were kept."""
        self.elapsed_s, self.kept_s = 0.0, 0.0
        self.events: list[str] = []

    def __call__(self, calls: int) -> float:
        raise AssertionError("samples are made of slices only")

    def slices(self, calls: int, count: int) -> Batch:
        start = int(self._moment)
        self._last, self._moment = range(start, start + count), float(start + count)
        looks = tuple(self.adds(m) * HZ for m in range(start, start + count + 1))
        if self.events[-1:] != ["start"]:
            self.events.append("not kept")
            self.elapsed_s += count * SLICE
            return Batch((SLICE,) * count, looks)
        self.events.append("slices")
        seconds = tuple(self.seconds(len(self.kept) + i, m) for i, m in enumerate(self._last))
        self.kept += self._last
        self.kept_s += sum(seconds)
        self.elapsed_s += sum(seconds)
        return Batch(seconds, looks)

    def clock_hz(self) -> float:
        return HZ

    def adds_per_s(self) -> float:
        self.events.append("look")
        self._moment += LOOK_S / SLICE
        self.elapsed_s += LOOK_S
        return self.adds(int(self._moment)) * HZ

    def start(self) -> None:
        self.events.append("start")

    def stop(self) -> Observation:
        self.events.append("stop")
        return Observation(sum(self.switched.count(m) for m in self._last), self.faults, next(self._clocks))

    def alone(self) -> list[int]:
        """Which of the kept slices (by number) lay between two looks at a core of our own and were not preempted."""
        return [
            k for k, m in enumerate(self.kept) if self.adds(m) == self.adds(m + 1) == ALONE and m not in self.switched
        ]


def take(
    host: Host,
    samples: int = 5,
    round_s: float = AMPLE,
    patience_s: float = 0.0,
    best_adds: float = 0.0,
    shortest_s: float = SAMPLE,
) -> Samples:
    """The samples of one round; 7 calls are a slice."""
    effort = Effort(samples=samples, round_s=round_s, patience_s=patience_s)
    return sample(host, 7, effort, host, shortest_s=shortest_s, best_adds=best_adds)


def durations_s(found: Samples) -> list[float]:
    """What each sample took as a whole."""
    return [one * found.calls_per_sample for one in found.seconds_per_call]
