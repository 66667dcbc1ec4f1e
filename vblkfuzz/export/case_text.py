"""A case as plain text: the facts, the story, the events that explain the clash, the replay."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Final

from vblkfuzz.export.facts import facts
from vblkfuzz.triage.lane_text import lane_diagram
from vblkfuzz.triage.printable import printable
from vblkfuzz.triage.story import deviations, last_output, operations, shown_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.triage.case import Case

WIDTH: Final = 80
"""Columns of a diagram."""
_INDENT: Final = "    "


def case_text(case: Case) -> str:
    """Return a case in lines; for one that could not be judged, the error."""
    return printable("\n".join(_lines(case)) + "\n")


def _lines(case: Case) -> Iterator[str]:
    if case.violation:
        yield from (case.violation.sentence, "")
    if case.signature:
        yield f"Signature: {case.signature}"
    yield from (f"{name}: {value}" for name, value in facts(case))
    yield f"Replay: {case.command}"
    if case.outcome.run.error:
        yield from ("", case.outcome.run.error.rstrip())
    if output := last_output(case):
        yield from ("", "Last output of the device:", indent(output.rstrip(), _INDENT))
    yield from ("", "The story:", *story_lines(case))
    if case.outcome.run.execution is not None:
        yield from ("", "The events:", *diagram(case))


def story_lines(case: Case) -> Iterator[str]:
    """Yield the operations of a case and its schedule, each line indented."""
    for index, (owner, text) in enumerate(operations(case)):
        yield f"{_INDENT}{index}. {owner}: {text}"
    for text in deviations(case):
        yield f"{_INDENT}schedule: {text}"


def diagram(case: Case) -> Iterator[str]:
    """Yield the events that explain the clash by actor, in lines of `WIDTH` columns."""
    for line in lane_diagram(shown_steps(case, whole=False), case.scenario.ops, WIDTH):
        yield line.text
