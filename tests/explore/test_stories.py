"""Stories: all that make sense, none twice, shortest first."""

from __future__ import annotations

from itertools import product

import pytest

from vblkfuzz.errors import UsageError
from vblkfuzz.explore.alphabets import ALPHABETS, alphabet
from vblkfuzz.explore.stories import stories
from vblkfuzz.explore.unit import units
from vblkfuzz.mutation.story_state import FITS, NEXT
from vblkfuzz.scenario.op import Op, op


def makes_sense(story: tuple[Op, ...]) -> bool:
    state = 0
    for each in story:
        if not FITS[state][each.code]:
            return False
        state = NEXT[state][each.code]
    return True


@pytest.mark.parametrize("name", ALPHABETS)
def test_they_are_all_sequences_that_make_sense(name: str) -> None:
    letters = alphabet(name)
    for length in range(4):
        expected = list(filter(makes_sense, product(letters, repeat=length)))
        assert list(stories(letters, length)) == expected


@pytest.mark.parametrize("length", range(1, 5))
def test_units_share_them_out(length: int) -> None:
    letters = alphabet("drain")
    parts = [list(stories(letters, length, unit.start)) for unit in units(letters, length)]
    assert [story for part in parts for story in part] == list(stories(letters, length))


def test_an_alphabet_may_be_a_list() -> None:
    words = "init,publish_kick:out,drain_begin:nopoll,init"
    expected = op("init"), op("publish_kick", request="out"), op("drain_begin", wait="nopoll")
    assert alphabet(words) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected at least one operation"),
        ("drian", "expected an alphabet or an operation; did you mean drain?"),
        ("init,kik", "--alphabet kik: expected an alphabet or an operation"),
        ("kick:out", "--alphabet kick:out: kick has nothing to choose"),
        ("publish_kick:up", "--alphabet publish_kick:up: publish_kick has "),
    ],
)
def test_a_wrong_word_is_named(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem.replace("?", r"\?")):
        alphabet(text)
