"""JUnit XML has the elements of Jenkins' schema, and no character that XML forbids."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.triage.stories import QUIET, SIGNATURE, case
from vblkfuzz.export.junit import EXPORT, junit_text
from vblkfuzz.export.result import Result, State
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Run

CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out", "system-err"],
    "testcase": ["skipped", "error", "failure", "system-out", "system-err"],
    "skipped": [],
    "error": [],
    "failure": [],
}
"""The elements of the schema that may be in an element, in the order that it demands."""
ATTRIBUTES = {
    "testsuites": "name time tests failures disabled errors",
    "testsuite": "name tests failures errors time disabled skipped timestamp hostname id package",
    "testcase": "name assertions time classname status",
    "skipped": "",
    "error": "type message",
    "failure": "type message",
}
REQUIRED = {"testsuite": {"name", "tests"}, "testcase": {"name"}}


def parsed(text: str) -> ElementTree.Element:
    """Return the root of a file that keeps to the schema."""
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) <= set(ATTRIBUTES[element.tag].split())
        assert REQUIRED.get(element.tag, set()) <= set(element.attrib)
        places = [CHILDREN[element.tag].index(child.tag) for child in element]
        assert places == sorted(places)
        assert len(element) <= 1 or element.tag == "testsuite"
    (suite,) = root
    figures = {
        "tests": len(suite),
        "failures": len(suite.findall("*/failure")),
        "errors": len(suite.findall("*/error")),
        "skipped": len(suite.findall("*/skipped")),
    }
    assert {name: int(suite.attrib[name]) for name in figures} == figures
    return root


def unjudged() -> Case:
    run = Run("harness_error", error="Traceback\n\x1b[1mthe device process ended")
    return Case(replace(case(path="unjudged.vblk").outcome, run=run))


def test_each_state() -> None:
    text = EXPORT.text([case(), case(QUIET, "reference", "clean.toml"), unjudged()])
    failed, passed, error = parsed(text).iter("testcase")
    assert failed.attrib == {"classname": "vblkfuzz.model.patch-v4", "name": "x.vblk"}
    failure = failed.find("failure")
    assert failure is not None
    assert failure.text
    assert failure.attrib["type"] == "S1"
    assert failure.attrib["message"].startswith("S1: Request 1 was dequeued")
    assert "\nReplay: vblkfuzz replay x.vblk --device patch-v4 --mode inline\n" in failure.text
    assert "    3. guest: reset()" in failure.text
    assert (passed.attrib["name"], len(passed)) == ("clean.toml", 0)
    problem = error.find("error")
    assert problem is not None
    assert problem.attrib["message"] == "\\x1b[1mthe device process ended"


def test_a_name_that_xml_forbids() -> None:
    path = "a\x00\x08\ufffe\udcff<&>\"'\n.vblk"
    (one,) = parsed(EXPORT.text([case(path=path)])).iter("testcase")
    assert one.attrib["name"] == "a\\x00\\x08\\ufffe\\udcff<&>\"'\n.vblk"


@pytest.mark.parametrize("state", State)
def test_a_test_without_a_text(state: State) -> None:
    (one,) = parsed(junit_text([Result("n", state, "g", "why")])).iter("testcase")
    (words,) = [[*element.itertext()] for element in one] or [["why"]]
    assert words == ["why"]


def test_no_test() -> None:
    parsed(junit_text([]))


def test_its_signature_is_in_the_story() -> None:
    assert SIGNATURE in EXPORT.text([case()])
