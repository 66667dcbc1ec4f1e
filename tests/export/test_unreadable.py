"""An input that could not be read is in each report on a folder."""

from __future__ import annotations

import json

import pytest

from tests.triage.stories import case
from vblkfuzz.errors import InputFileError
from vblkfuzz.export import html_report, junit, sarif, tap

ERROR = InputFileError("a b/damaged.vblk", "byte 9", "expected <x>, found \x1b[31m")


def test_junit() -> None:
    text = junit.EXPORT.written([case()], [ERROR])
    assert 'tests="2" failures="1" errors="1"' in text
    assert 'name="a b/damaged.vblk"' in text
    assert "\\x1b[31m" in text


def test_tap() -> None:
    text = tap.EXPORT.written([case()], [ERROR])
    assert "\n1..2\n" in text
    assert "\nnot ok 2 - a b/damaged.vblk\n# no verdict: a b/damaged.vblk: byte 9: exp" in text


@pytest.mark.parametrize("errors", [[], [ERROR]])
def test_sarif(errors: list[InputFileError]) -> None:
    (run,) = json.loads(sarif.EXPORT.written([case()], errors))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is not bool(errors)
    found = invocation["toolExecutionNotifications"]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found]
    assert places == ["a%20b/damaged.vblk"] * len(errors)


def test_html() -> None:
    text = html_report.EXPORT.written([case()], [ERROR])
    assert "Not read: a b/damaged.vblk: byte 9: expected &lt;x&gt;, found \\x1b[31m" in text
