"""Each flag in a trace of the corpus has a word in the row of its event kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.scenario.text import read_text
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import IO_DONE, KINDS, PARK

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus"
FILES = sorted(CORPUS.rglob("*.toml"))


def without_a_word(event: Event) -> str:
    """Return what to do about a flag without a word; empty: it has one."""
    row = KINDS[event.kind]
    if event.flag < max(1, len(row.flags)):
        return ""
    return f"{row.name}: flag {event.flag} has no word in flags= of trace/kinds.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORPUS)))
def test_each_flag_has_a_word(path: Path) -> None:
    text = read_text(path.read_text(), path.name)
    with model(text.on or "reference", "inline") as target:
        events = target.run(text.scenario).events
    assert {without_a_word(event) for event in events} == {""}


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (Event(0, IO_DONE, flag=2), ""),
        (Event(0, IO_DONE, flag=3), "io_done: flag 3 has no word in flags= of trace/kinds.py"),
        (Event(0, PARK, flag=1), "park: flag 1 has no word in flags= of trace/kinds.py"),
    ],
)
def test_one_without_a_word_is_named(event: Event, problem: str) -> None:
    assert without_a_word(event) == problem
