"""Each flag in a trace of the corpus has a word in the row of its event kind, each head a form."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.scenario.text import read_text
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import IO_DONE, IRQ, KINDS, PARK, POP

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus"
FILES = sorted(CORPUS.rglob("*.toml"))


def problem_of(event: Event) -> str:
    """Return what to do about a flag without a word, or a head without a form; empty: none."""
    row = KINDS[event.kind]
    place = f"{row.name} in trace/kinds.py"
    if event.flag >= max(1, len(row.flags)):
        return f"{place}: flag {event.flag} has no word in flags="
    if event.head and not (row.head or row.hides_head):
        return f"{place}: head {event.head} is not shown: expected head= or hides_head=True"
    return ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORPUS)))
def test_each_flag_has_a_word_and_each_head_a_form(path: Path) -> None:
    text = read_text(path.read_text(), path.name)
    with model(text.on or "reference", "inline") as target:
        events = target.run(text.scenario).events
    problems = sorted({problem_of(event) for event in events} - {""})
    assert not problems, "; ".join(problems)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (Event(0, IO_DONE, flag=2), ""),
        (Event(0, IO_DONE, flag=3), "io_done in trace/kinds.py: flag 3 has no word in flags="),
        (Event(0, PARK, flag=1), "park in trace/kinds.py: flag 1 has no word in flags="),
        (Event(0, POP, head=7), ""),
        (Event(0, PARK, head=7), ""),
        (
            Event(0, IRQ, head=7),
            "irq in trace/kinds.py: head 7 is not shown: expected head= or hides_head=True",
        ),
    ],
)
def test_one_without_is_named(event: Event, problem: str) -> None:
    assert problem_of(event) == problem
