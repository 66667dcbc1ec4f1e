"""A case as the result of a test, for the forms that continuous integration reads.

A case passes if no rule is broken. A violation fails it; so does a campaign's finding that was not
reproduced this time, because the campaign saw it. A case that could not be judged is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from vblkfuzz.export.case_text import case_text
from vblkfuzz.export.reproduced import reproduced
from vblkfuzz.oracle.naming.known import matches
from vblkfuzz.triage.printable import printable
from vblkfuzz.triage.story import said_seen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from vblkfuzz.errors import InputFileError
    from vblkfuzz.triage.case import Case


class State(StrEnum):
    """How a test has ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """There is no verdict."""
    SKIPPED = "skipped"
    """It does not count, for the reason in the message."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a test."""

    name: str
    """What stays the same from one run to the next, and in a group is given once."""
    state: State
    group: str = "vblkfuzz"
    """Names of the package and of what is tested, with dots."""
    message: str = ""
    """One line."""
    kind: str = ""
    """The broken rule."""
    text: str = ""
    """All that there is to say, in lines."""


def results_of(cases: Iterable[Case], silenced: Collection[str] = ()) -> Iterator[Result]:
    """Yield the results of cases; no two have the same name and group.

    Args:
        cases: in the order of the results.
        silenced: patterns of signatures that count as known; a case that shows only those is
            skipped.
    """
    given: dict[tuple[str, str], int] = {}
    for case in cases:
        one = _result(_unsilenced(case, silenced), silenced)
        key = one.group, one.name
        given[key] = count = given.get(key, 0) + 1
        yield replace(one, name=f"{one.name} ({count})") if count > 1 else one


def unreadable_results(errors: Iterable[InputFileError]) -> Iterator[Result]:
    """Yield the results of inputs that could not be read: errors."""
    for error in errors:
        message = printable(" ".join(str(error).split()))
        yield Result(printable(error.path), State.ERROR, message=message)


def _result(case: Case, silenced: Collection[str]) -> Result:
    state, message = _state(case, silenced)
    setup = case.outcome.setup
    name = case.signature if case.sightings else case.outcome.input
    rule = case.expected_rule
    return Result(
        name=printable(name),
        state=state,
        group=printable(f"vblkfuzz.{setup.target}.{setup.device}"),
        message=printable(" ".join(message.split())),
        kind=rule.id if rule and state is State.FAILED else "",
        text=case_text(case) if state in (State.FAILED, State.ERROR) else "",
    )


def _state(case: Case, silenced: Collection[str]) -> tuple[State, str]:
    """Return the state of a case, and its message."""
    run = case.outcome.run
    if case.violation and matches(run.signature, silenced):
        return State.SKIPPED, f"known: {run.signature}"
    if violation := reproduced(case):
        return State.FAILED, f"{violation.rule}: {violation.sentence}"
    if case.sightings:
        return State.FAILED, f"{case.signature}: {said_seen(case)}"
    if run.verdict == "harness_error":
        return State.ERROR, run.error.rstrip().rpartition("\n")[2]
    return State.PASSED, ""


def _unsilenced(case: Case, silenced: Collection[str]) -> Case:
    """Return a case that reports a violation that is not silenced, if there is one."""
    run = case.outcome.run
    if not silenced or run.execution is None or not matches(run.signature, silenced):
        return case
    causes = run.execution.verdict.causes
    other = next((one for one in causes if not matches(one.signature, silenced)), None)
    if other is None:
        return case
    return replace(case, outcome=replace(case.outcome, run=replace(run, violation=other)))
