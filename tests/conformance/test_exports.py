"""What every export must keep, over all that are registered."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import vblkfuzz
from tests.triage.stories import QUIET, RESET_IN_DRAIN, case
from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.export.export import Export
from vblkfuzz.export.licence import SPDX
from vblkfuzz.export.registry import EXPORTS
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Run

ODD = ("a b.vblk", "-x.vblk", "é\u202e.vblk", "\"'&<>`$\\.vblk", "a\nb\t\x1b.vblk", "\udcff.vblk")
"""Names that a shell, a page or a JSON file must not fall for; the last is not UTF-8."""

pytestmark = pytest.mark.parametrize("name", EXPORTS.names())


@pytest.fixture
def export(name: str) -> Export:
    return EXPORTS.find(name)


def clean(path: str = "clean.vblk") -> Case:
    """An input of which nothing is expected, and that shows nothing."""
    outcome = case(QUIET, "reference", path).outcome
    return Case(replace(outcome, artifact=replace(outcome.artifact, expectation=None)))


def stop_in_drain() -> Case:
    """A case that differs from the usual one in its operations and what they show only."""
    scenario = replace(RESET_IN_DRAIN, ops=(*RESET_IN_DRAIN.ops[:-1], op("stop")))
    outcome = case(scenario).outcome
    assert outcome.run.rule == "S1"
    expected = Expectation("violation", "S1", outcome.run.signature)
    return Case(replace(outcome, artifact=replace(outcome.artifact, expectation=expected)))


def unjudged() -> Case:
    run = Run("harness_error", error="the device process ended")
    return Case(replace(case(path="unjudged.vblk").outcome, run=run))


def check(text: str) -> None:
    """Check what a file must keep, whatever is in it."""
    assert text.endswith("\n")
    assert text.count(SPDX) == 1, "expected the line that says which licence the file has"
    text.encode()
    for folder in (Path(vblkfuzz.__file__).parent.parent, Path(sys.prefix), Path.cwd()):
        assert str(folder) not in text


def test_its_summary_is_a_line(export: Export) -> None:
    assert re.fullmatch(r"\S[^\n]{0,70}[^.\n]", export.summary)


def test_a_clean_input(export: Export) -> None:
    check(export.text([clean()]))


def test_a_violation(export: Export) -> None:
    check(export.text([case()]))


def shows(text: str, one: Case) -> bool:
    """Whether a text has the signature of a case, or its operations in their order."""
    operations = ".*".join(operation.name for operation in one.scenario.ops)
    return one.signature in text or bool(re.search(operations, text, re.DOTALL))


def test_it_shows_its_cases(name: str, export: Export) -> None:
    cases = (case(), stop_in_drain())
    texts = [export.text([one]) for one in cases]
    assert texts[0] != texts[1], f"{name}: expected another text for another case"
    for one, text in zip(cases, texts, strict=True):
        assert shows(text, one), f"{name}: expected {one.signature} in the text, or the operations"


def test_it_shows_each_of_several(name: str, export: Export) -> None:
    cases = [case(path="y.vblk"), stop_in_drain()]
    try:
        text = export.text(cases)
    except UsageError:
        return  # see the next test
    for one in cases:
        assert shows(text, one), f"{name}: expected {one.signature} in the text, or the operations"


def test_several_inputs_or_what_it_expects_instead(name: str, export: Export) -> None:
    cases = [case(), case(path="y.vblk"), clean()]
    try:
        text = export.text(cases)
    except UsageError as error:
        assert str(error) == f"{name}: expected one input, found 3; name one finding"
    else:
        check(text)


def test_one_that_could_not_be_judged(export: Export) -> None:
    """It is in the file, or it is named."""
    try:
        text = export.text([unjudged()])
    except HarnessError as error:
        assert str(error).startswith("unjudged.vblk: not judged: the device process ended")
    else:
        check(text)


@pytest.mark.parametrize("path", ODD)
def test_odd_names(export: Export, path: str) -> None:
    check(export.text([case(path=path)]))


@pytest.mark.parametrize("scenario", [RESET_IN_DRAIN, QUIET], ids=["violation", "clean"])
def test_the_same_cases_give_the_same_text(export: Export, scenario: object) -> None:
    make = clean if scenario is QUIET else case
    assert export.text([make()]) == export.text([make()])
