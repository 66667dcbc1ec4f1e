"""Differences: which values differ, and which only vary."""

from __future__ import annotations

import pytest

from vblkfuzz.compare.difference import Difference, differences
from vblkfuzz.compare.key import Key
from vblkfuzz.compare.view import ENDING, FINDING, View
from vblkfuzz.trace.witness import MODEL


def runs(kind: str, *values: str, number: int = 0, what: str = "it") -> list[View]:
    """A run for each value; "-": one that cannot say."""
    key = Key(kind, number, what)
    return [View({} if value == "-" else {key: value}, MODEL) for value in values]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("aaa", "bbb", ("a", "b")),
        ("aaa", "aaa", None),
        ("aaa", "bba", None),
        ("aaa", "---", None),
        ("aa-", "b--", ("a", "b")),
    ],
)
def test_what_a_guest_sees_must_differ_in_all_runs(
    one: str, other: str, told: tuple[str, ...] | None
) -> None:
    found = differences([runs("status", *one), runs("status", *other)])
    assert found == ([Difference("status", "it", told)] if told else [])


@pytest.mark.parametrize("kind", [ENDING, FINDING])
@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("aaaa", "bbba", ("a", "mostly b")),
        ("aaaa", "aabb", None),
        ("aaaa", "aaab", None),
        ("aabb", "cccc", ("varies", "c")),
        ("aabb", "abab", None),
        ("aaaa", "----", None),
    ],
)
def test_bugs_must_be_in_most_runs_of_the_one_and_none_of_the_other(
    kind: str, one: str, other: str, told: tuple[str, ...] | None
) -> None:
    for left, right, values in ((one, other, told), (other, one, told and told[::-1])):
        found = differences([runs(kind, *left), runs(kind, *right)])
        assert found == ([Difference(kind, "it", values)] if values else [])


def test_a_third_device_that_varies_is_told() -> None:
    views = [runs("status", *values) for values in ("aaaa", "bbbb", "abab", "aaab", "----")]
    (found,) = differences(views)
    assert found.values == ("a", "b", "varies", "mostly a", "-")


@pytest.mark.parametrize(("kind", "count"), [("status", 1), ("feature", 2), (FINDING, 2)])
def test_what_may_follow_from_a_first_difference_is_left_out(kind: str, count: int) -> None:
    views = [
        [View({Key(kind, 1, "first"): value, Key(kind, 2, "second"): value}, MODEL)]
        for value in "ab"
    ]
    assert [one.what for one in differences(views)] == ["first", "second"][:count]
