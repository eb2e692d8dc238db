"""Other gates, each used as its documentation says: first BASE, then HEAD, then its own comparison."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct

from gates import request
from gates.request import Request

HERE = Path(__file__).resolve().parent
THRESHOLDS = (3, 5)
"""Percent, as everywhere in this experiment."""
ALPHA = 0.05
MESSAGE_CHARS = 200

Flagged = dict[str, frozenset[str]]
"""Rule -> ids of the cells that it fails."""


class PeerFailed(Exception):
    """A gate did not do what it should; why, in one line."""


class Place(Struct, frozen=True):
    """Where a gate works, and how long."""

    python: str
    folder: Path
    quick: bool = False

    def run(self, command: Sequence[str], asked: Request, fine: Sequence[int] = (0,)) -> str:
        """What the command printed. Raises PeerFailed for an unexpected exit code."""
        path = self.folder / "request.json"
        request.write(path, asked)
        variables = {**os.environ, request.VARIABLE: str(path), "NO_COLOR": "1", "COLUMNS": "200"}
        done = subprocess.run(
            [self.python, *command], cwd=self.folder, env=variables, capture_output=True, text=True, check=False
        )
        if done.returncode not in fine:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no word"]
            raise PeerFailed(f"exit {done.returncode}: {said[-1][:MESSAGE_CHARS]}")
        return done.stdout + done.stderr


Pass = Callable[[Place, Request, str, str], Flagged]
"""(place, what to time, label of this pass, label of its BASE or "") -> what is failed, where there is a BASE."""


def pytest_benchmark(place: Place, asked: Request, label: str, base: str) -> Flagged:
    """`pytest --benchmark-save`, then `--benchmark-compare --benchmark-compare-fail=median:5%`."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "bench_pytest.py")]
    words += [
        "-c",
        os.devnull,
        f"--rootdir={HERE}",
        f"--benchmark-storage={place.folder.as_uri()}/store",
        f"--benchmark-save={label}",
    ]
    words += ["--benchmark-only", *(["--benchmark-max-time=0.1"] if place.quick else [])]
    checks = {f"{field}:{share}%": (field, share) for field in ("median", "mean") for share in THRESHOLDS}
    if base:
        [saved] = place.folder.glob(f"store/*/*_{base}.json")
        words += [f"--benchmark-compare={saved.name.split('_')[0]}"]
        # All after one option: of several the last one alone would count.
        words += ["--benchmark-compare-fail", *checks]
    said = place.run(words, asked, fine=(0, 1) if base else (0,))
    if not list(place.folder.glob(f"store/*/*_{label}.json")):
        raise PeerFailed(f"pytest saved nothing: {said.strip().splitlines()[-1]}")
    found = failed_by_pytest(said) if base else frozenset()
    return {rule: frozenset(name for name, *check in found if tuple(check) == checks[rule]) for rule in checks}


_FAILED = re.compile(r"test_cell\[(.+?)\] \(.*\) - Field '(\w+)' has failed \w+: [\d.einf+-]+ > ([\d.]+)")


def failed_by_pytest(text: str) -> frozenset[tuple[str, str, int]]:
    """(case id, field, percent) of each line in which pytest-benchmark names a regression."""
    return frozenset((name, field, round(float(share))) for name, field, share in _FAILED.findall(text))


def pyperf(place: Place, asked: Request, label: str, base: str) -> Flagged:
    """`python bench.py -o`, then `pyperf compare_to`, by its t-test alone and with `--min-speed`."""
    words = [str(HERE / "bench_pyperf.py"), "--quiet", f"--affinity={asked.cpu}", "-o", f"{label}.json"]
    words += [f"--inherit-environ={request.VARIABLE}"]
    words += ["--processes=2", "--values=2", "--loops=1000"] if place.quick else []
    place.run(words, asked)
    if not base:
        return {}
    compare = ["-m", "pyperf", "compare_to", "--group-by-speed", f"{base}.json", f"{label}.json"]
    rules = {"significant": [], **{f"significant, {share}%": [f"--min-speed={share}"] for share in THRESHOLDS}}
    return {rule: slower_by_pyperf(place.run([*compare, *more], asked)) for rule, more in rules.items()}


def slower_by_pyperf(text: str) -> frozenset[str]:
    """Case ids under "Slower" of `pyperf compare_to --group-by-speed`; of a lone benchmark as well."""
    found, inside = set(), False
    for line in text.splitlines():
        if line and not line.startswith("- "):
            inside = line.startswith("Slower (")
        elif inside and line:
            found.add(line.removeprefix("- ").split(": ")[0])
    return frozenset(found)


def mann_whitney(place: Place, asked: Request, label: str, base: str) -> Flagged:
    """Samples of BASE, then of HEAD, and the usual test of their ranks."""
    out = place.folder / f"{label}.samples"
    place.run([str(HERE / "bench_samples.py")], msgspec.structs.replace(asked, out=str(out)))
    if not base:
        return {}
    read = msgspec.json.Decoder(dict[str, list[float]]).decode
    # Its p-values are asked of the Python that has scipy.
    sides = [(place.folder / f"{name}.samples").read_bytes() for name in (base, label)]
    text = place.run(["-c", _RANKS, *(str(place.folder / f"{name}.samples") for name in (base, label))], asked)
    return by_ranks(read(sides[0]), read(sides[1]), msgspec.json.decode(text, type=dict[str, float]))


_RANKS = """
import json, sys
from scipy.stats import mannwhitneyu
one, other = (json.load(open(path)) for path in sys.argv[1:])
print(json.dumps({name: float(mannwhitneyu(one[name], other[name]).pvalue) for name in one}))
"""


def by_ranks(
    base: Mapping[str, Sequence[float]], head: Mapping[str, Sequence[float]], p_values: Mapping[str, float]
) -> Flagged:
    """Cells whose HEAD is slower by the medians, where the test is below 0.05; and those slower by a share as well."""
    ratios = {name: median(head[name]) / median(base[name]) for name in base}
    rules = {f"p < {ALPHA:g}": 1.0, **{f"p < {ALPHA:g}, {share}%": 1 + share / 100 for share in THRESHOLDS}}
    sure = {name for name, p in p_values.items() if p < ALPHA}
    return {rule: frozenset(name for name in sure if ratios[name] > least) for rule, least in rules.items()}


PEERS: dict[str, tuple[str, Pass]] = {
    "pytest-benchmark": ("pytest_benchmark", pytest_benchmark),
    "pyperf": ("pyperf", pyperf),
    "Mann-Whitney": ("scipy", mann_whitney),
}
"""Gate -> (module that it needs, one pass of it)."""
