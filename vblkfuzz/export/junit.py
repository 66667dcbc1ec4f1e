"""Findings as JUnit XML, the form of test results that GitLab, Jenkins and others show.

The elements and attributes are those of Jenkins' schema (jenkins-junit.xsd); GitLab reads a part of
them. A failed test has the sentence as its message, and as its text the story with the command that
replays it. There are no times: they would differ from run to run.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

from vblkfuzz.export.export import Export
from vblkfuzz.export.licence import SPDX
from vblkfuzz.export.result import Result, State, results_of, unreadable_results
from vblkfuzz.triage.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.errors import InputFileError
    from vblkfuzz.triage.case import Case

_ELEMENTS: Final = {State.FAILED: "failure", State.ERROR: "error"}


def junit_text(tests: Sequence[Result]) -> str:
    """Return the results of tests as one suite."""
    counts = Counter(one.state for one in tests)
    figures = {
        "tests": len(tests),
        "failures": counts[State.FAILED],
        "errors": counts[State.ERROR],
    }
    words = {name: str(figure) for name, figure in figures.items()}
    root = ElementTree.Element("testsuites", words)
    skipped = str(counts[State.SKIPPED])
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": "vblkfuzz", **words, "skipped": skipped}
    )
    for one in tests:
        _add(suite, one)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {SPDX} -->\n{body}\n'


def _add(suite: ElementTree.Element, one: Result) -> None:
    names = {"classname": printable(one.group), "name": printable(one.name)}
    test = ElementTree.SubElement(suite, "testcase", names)
    if one.state is State.SKIPPED:  # its schema has no attributes
        ElementTree.SubElement(test, "skipped").text = printable(one.message)
    elif one.state in _ELEMENTS:
        about = {"message": printable(one.message), "type": one.kind or "harness"}
        element = ElementTree.SubElement(test, _ELEMENTS[one.state], about)
        element.text = printable(one.text or one.message)


def _cases_text(cases: Sequence[Case], unreadable: Sequence[InputFileError] = ()) -> str:
    return junit_text([*results_of(cases), *unreadable_results(unreadable)])


EXPORT: Final = Export(
    summary="JUnit XML: a test for each input, failed if a rule is broken",
    text=_cases_text,
    whole=_cases_text,
)
