"""TAP as readers of it take it: a plan, a point for each test, comments."""

from __future__ import annotations

import re

from tests.triage.stories import QUIET, case
from vblkfuzz.export.result import Result, State
from vblkfuzz.export.tap import EXPORT, tap_text

POINT = re.compile(r"(?P<bad>not )?ok (?P<number>\d+) - (?P<name>.*?)(?P<skip> # SKIP .*)?")


def points(text: str) -> list[tuple[bool, str, bool]]:
    """Return whether each test passed, its name and whether it was skipped."""
    version, *rest = text.splitlines()
    assert version == "TAP version 13"
    lines = [line for line in rest if not line.startswith("#")]
    plan, *found = lines
    assert plan == f"1..{len(found)}"
    matched = [POINT.fullmatch(line) for line in found]
    assert [one and int(one["number"]) for one in matched] == [*range(1, len(found) + 1)]
    return [(not one["bad"], one["name"], bool(one["skip"])) for one in matched if one]


def test_cases() -> None:
    text = EXPORT.text([case(), case(QUIET, "reference", "clean.toml")])
    assert points(text) == [(False, "x.vblk", False), (True, "clean.toml", False)]
    assert "\n# Replay: vblkfuzz replay x.vblk --device patch-v4 --mode inline\n" in text


def test_states() -> None:
    tests = [Result(state, state, message="why") for state in State]
    assert points(tap_text(tests)) == [
        (True, "passed", False),
        (False, "failed", False),
        (False, "error", False),
        (True, "skipped", True),
    ]


def test_a_name_begins_no_directive_and_no_line() -> None:
    text = tap_text([Result("a # SKIP b\nok 2", State.FAILED, text="1..9\nok 1")])
    assert points(text) == [(False, "a \\# SKIP b ok 2", False)]
