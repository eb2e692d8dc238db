"""A profile as GitHub-flavoured Markdown: the sentence, the evidence and the advice stand open, the rest is folded."""

from collections.abc import Iterator, Sequence

from msgspec import UnsetType

from kernelbench.model import Result
from kernelbench.report.facts import machine_facts
from kernelbench.report.markdown import escaped, folded, table
from kernelbench.report.profile import Part, not_measured, notes, sentence, view
from kernelbench.report.profile_parts import parts
from kernelbench.report.text import clip, safe_text

MOST_CHARACTERS = 600
"""Of one text from the file: a comment on GitHub holds 65536 in all."""


def render(result: Result, *, brief: bool = False) -> str:
    """The whole profile, or with ``brief`` only the sentence, what holds the kernel back, and the advice.

    Raises ResultFileError where a file of kind "profile" lacks its profile.
    """
    of = view(result)
    shown = parts(of)
    first, rest = [part for part in shown if part.id == "bound"], [part for part in shown if part.id != "bound"]
    blocks = [f"# {_text(sentence(of))}", *(_text(note) for note in notes(of))]
    blocks += [f"## {part.title}\n\n{_body(part)}" for part in first]
    blocks += _listed("What to do next", of.profile.advice, "{}. ")
    if not brief:
        blocks += [folded(part.title, _body(part)) for part in rest]
        blocks += _listed("Not measured", (*not_measured(of), *result.notes), "- ")
        blocks += [
            folded("Machine", table(["fact", "value"], [[_text(fact.label), _text(fact.text)] for fact in facts]))
            for facts in map(machine_facts, result.machines.values())
        ]
    return "\n\n".join(blocks) + "\n"


def _body(part: Part) -> str:
    return "\n\n".join(_blocks(part))


def _blocks(part: Part) -> Iterator[str]:
    if part.lines:
        yield "\n".join(f"- {_text(line)}" for line in part.lines)
    if part.facts:
        yield table(["fact", "value"], [[_text(fact.label), _text(fact.text)] for fact in part.facts])
    if not isinstance(part.table, UnsetType):
        heads = part.table.heads
        right = [False, *(head.numeric for head in heads[1:])]
        yield table(
            [_text(head.title) for head in heads], [list(map(_text, row)) for row in part.table.rows], right=right
        )
    if part.about:
        yield _text(part.about)


def _listed(title: str, texts: Sequence[str], mark: str) -> list[str]:
    lines = [f"{mark.format(number)}{_text(text)}" for number, text in enumerate(texts, 1)]
    return [f"## {title}\n\n" + "\n".join(lines)] if lines else []


def _text(text: str) -> str:
    return escaped(clip(safe_text(text), MOST_CHARACTERS))
