"""``kernelbench compare``: did a change make it slower?"""

import contextlib
import gc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import UNSET, Struct, UnsetType

from kernelbench.cli._publish import write_page
from kernelbench.cli._verdicts import Gate, exit_code, gate, gate_options, publish, refuse_nothing, warn_idle
from kernelbench.errors import MissingBaseline, UsageError

if TYPE_CHECKING:
    from kernelbench.analysis.expectations import Judged
    from kernelbench.model import Result
    from kernelbench.report.comparison_pair import Pair


COMPARABLE = ("run", "baseline")
"""Kinds of result that hold one side's times."""


class Labelled(Struct, frozen=True):
    """A result file and what it is called."""

    label: str
    """As given before "=", else the path as given."""
    path: Path


@click.command(name="compare")
@click.argument("results", nargs=-1, metavar="BASE NEW...")
@click.option("--baseline", metavar="NAME", help="A baseline of NEW's machine in place of BASE.")
@click.option("--normalise", "--normalize", is_flag=True, help="Compare times in units of each run's own ceilings.")
@click.option("--across-machines", is_flag=True, help="Compare how close each comes to its own machine's roof.")
@click.option(
    "--expect",
    type=click.Path(path_type=Path),
    metavar="CONFIG.toml",
    help="Judge NEW by the [[expect]] rules of a configuration too.",
)
@gate_options
def command(results: tuple[str, ...], **given: Any) -> int:
    """Compare NEW results with BASE, case by case; each is PATH or LABEL=PATH.

    A regression is called only when its interval lies beyond the threshold, for all cells at once, and the ceilings
    do not say that the host moved. Stored runs tell less than `kernelbench ab`, which measures both sides in turns.

    Exit codes: 0 no cell regressed, 1 one did or an expectation failed, 4 one that BASE measured failed, 5 nothing
    could be compared; 3 ambiguous, 6 missing where asked.
    """
    base, news = _sides(results, given["baseline"])
    wanted = gate(given, [one.path for one in (base, *news) if not isinstance(one, UnsetType)])
    with _no_collecting():
        return _answer(base, news, wanted, given)


def _answer(base: Labelled | UnsetType, news: Sequence[Labelled], wanted: Gate, given: dict[str, Any]) -> int:
    """Read, compare, print; the exit code."""
    # Every file is read before the first verdict: an unreadable one (2) must not follow half an answer.
    shared = UNSET if isinstance(base, UnsetType) else (base.label, _read(base))
    loaded = [(one, _read(one)) for one in news]
    bases = [_baseline(given["baseline"], new) if isinstance(shared, UnsetType) else shared for _, new in loaded]
    pairs = [
        _pair(before, one, result, wanted, given)
        for before, (one, result) in zip(bases, loaded, strict=True)
        if not isinstance(before, UnsetType)
    ]
    comparisons = [pair.named for pair in pairs]
    judged = _judged(given["expect"], loaded)
    warn_idle(wanted, comparisons)
    if comparisons or judged:
        publish(comparisons, judged, wanted)
        write_page(pairs, judged, wanted)
    refuse_nothing(comparisons)
    return exit_code(comparisons, wanted.fail_on, judged, no_baseline=UNSET in bases)


@contextlib.contextmanager
def _no_collecting() -> Iterator[None]:
    """Results are large, live to the end and hold no cycles: searching them for garbage takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def labelled(text: str) -> Labelled:
    """ "LABEL=PATH" or "PATH"; a file whose own name holds "=" is a path. Raises UsageError for an empty half."""
    label, equals, path = text.partition("=")
    if not equals or "/" in label or Path(text).exists():
        return Labelled(text, Path(text))
    if not label.strip() or not path:
        raise UsageError(f"{text!r} has nothing {'before' if path else 'after'} '='; give PATH or LABEL=PATH")
    return Labelled(label.strip(), Path(path))


def _sides(texts: Sequence[str], baseline: str | None) -> tuple[Labelled | UnsetType, list[Labelled]]:
    """BASE, absent with --baseline, and every NEW."""
    least = 1 if baseline is not None else 2
    if len(texts) < least:
        given = f"; got only {texts[0]}" if texts else ""
        wanted = "--baseline NAME NEW..." if least == 1 else "BASE NEW..., or --baseline NAME NEW..."
        raise UsageError(f"compare takes two results or more: give {wanted}{given}")
    named = [labelled(text) for text in texts]
    labels = [one.label for one in named if one.label != str(one.path)]
    twice = next((label for label in labels if labels.count(label) > 1), "")
    if twice:
        raise UsageError(f"the label {twice!r} was given twice; give each result its own")
    return (UNSET, named) if least == 1 else (named[0], named[1:])


def _read(one: Labelled) -> "Result":
    from kernelbench.store.files import read_result
    from kernelbench.store.lean import LeanResult

    result = read_result(one.path, LeanResult)
    if result.kind not in COMPARABLE:
        raise UsageError(
            f"{one.path}: is a result of kind {result.kind!r}; compare takes those of `kernelbench run` or baselines"
        )
    return result


def _baseline(name: str, new: "Result") -> "tuple[str, Result] | UnsetType":
    from kernelbench.store.baselines import load

    if len(new.machines) != 1:
        raise UsageError(f"--baseline needs results of one machine, got one of {len(new.machines)}; give BASE instead")
    try:
        return f"baseline {name}", load(name, next(iter(new.machines)))
    except MissingBaseline as error:
        click.echo(f"warning: {error}; nothing was compared", err=True)
        return UNSET


def _pair(before: "tuple[str, Result]", one: Labelled, result: "Result", wanted: Gate, given: dict[str, Any]) -> "Pair":
    from kernelbench.analysis.compare import compare
    from kernelbench.report.comparison_pair import Pair
    from kernelbench.report.comparison_words import Named

    name, base = before
    made = compare(
        base,
        result,
        threshold=wanted.thresholds,
        across_machines=given["across_machines"],
        normalise=given["normalise"],
    )
    return Pair(Named(name, one.label, made), base, result)


def _judged(config: Path | None, loaded: Sequence["tuple[Labelled, Result]"]) -> "list[Judged]":
    """Every rule of ``config`` on every NEW.

    Raises ConfigError for a mistake in it, and UsageError where it has no rules.
    """
    if config is None:
        return []
    from msgspec.structs import replace

    from kernelbench.analysis.expectations import judge
    from kernelbench.config import load

    rules = load(config).expect
    if not rules:
        raise UsageError(f"--expect {config}: it holds no [[expect]] rules; add some, or leave the option out")
    many = len(loaded) > 1
    return [
        replace(judged, rule=f"{one.label}: {judged.rule}") if many else judged
        for one, result in loaded
        for judged in judge(rules, result)
    ]
