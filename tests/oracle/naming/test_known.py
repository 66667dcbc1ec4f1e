"""Known violations by signature."""

from __future__ import annotations

import pytest

from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.oracle.naming.known import explanation, matches


def test_the_longest_beginning_explains() -> None:
    listed = {"s1-reset-stop": "B1", "s1": "something in drains", "s1-reset": "resets"}
    assert explanation("s1-reset-stop-cleanup", listed) == "B1"
    assert explanation("s1-reset-x", listed) == "resets"
    assert explanation("s4-reset", listed) == ""
    assert explanation("s1", {}) == ""


def test_the_rule_is_the_same() -> None:
    listed = {"s2": "something in drains", "l": "nothing"}
    assert explanation("s2", listed) == explanation("s2-parked", listed) == "something in drains"
    assert explanation("s24-after_reset", listed) == explanation("l1-sent", listed) == ""


def test_what_a_revision_lists_is_explained() -> None:
    for device in REVISIONS.values():
        assert all(explanation(beginning, device.known) for beginning in device.known)
        assert not explanation("planted", device.known)


@pytest.mark.parametrize("pattern", ["s1-*", "s?-reset", "s[12]-reset", "s1-reset"])
def test_a_pattern_matches(pattern: str) -> None:
    assert matches("s1-reset", ["l1", pattern])


@pytest.mark.parametrize("pattern", ["s1", "s1-reset-*", "S1-reset", "s[!1]-reset"])
def test_a_pattern_does_not_match(pattern: str) -> None:
    assert not matches("s1-reset", [pattern])
    assert not matches("s1-reset", [])
