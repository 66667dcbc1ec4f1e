"""A place in a program as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import places
from vblkfuzz.scenario.place import MAX_NTH, MAX_TEXT, Place, check_place, place_of, place_text

TEXTS = {
    "virtqueue_pop": Place("virtqueue_pop"),
    "qemu_mutex_lock util/async.c:717": Place("qemu_mutex_lock", "util/async.c:717"),
    "pop after aio_co_schedule": Place("pop", after="aio_co_schedule"),
    "pop nth 3": Place("pop", nth=3),
    "after after:1 after after nth 2": Place("after", "after:1", "after", 2),
}


@pytest.mark.parametrize("text", TEXTS)
def test_the_text_of_a_place(text: str) -> None:
    assert place_of(text) == TEXTS[text]
    assert place_text(TEXTS[text]) == text


@given(places())
def test_every_place_comes_back(place: Place) -> None:
    check_place(place)
    assert place_of(place_text(place)) == place


@pytest.mark.parametrize(
    "text",
    [
        *("", " pop", "pop  a.c:1", "pop a.c", "pop nth 0", "pop\n", "p\u00f6p"),
        f"pop nth {MAX_NTH + 1}",
        "x" * (MAX_TEXT + 1),
    ],
)
def test_other_text_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected EVENT \[FILE:LINE\]"):
        place_of(text)


@given(st.text(max_size=MAX_TEXT + 5))
def test_any_text_is_a_place_or_an_error(text: str) -> None:
    try:
        place = place_of(text)
    except ValueError:
        return
    assert place_of(place_text(place)) == place


@pytest.mark.parametrize(
    "place",
    [
        Place(""),
        Place("pop nth 3"),
        Place("pop", "no line"),
        Place("pop", after="a b"),
        Place("pop", nth=0),
        Place("pop", nth=MAX_NTH + 1),
        Place("p" * MAX_TEXT, after="q"),
    ],
)
def test_a_place_that_no_file_can_hold(place: Place) -> None:
    with pytest.raises(ValueError, match="expected"):
        check_place(place)
