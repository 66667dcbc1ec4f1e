"""Stories: sequences of operations, shortest first, without those that do nothing.

An operation that makes no sense where it stands (`mutation.story_state`: a `drain_end` without a
section, an `init` of a device that is set up) does nothing or what two others do, so a story with
it is like another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.mutation.story_state import FITS, NEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.scenario.op import Op

Story = tuple["Op", ...]


def state_after(story: Story) -> int:
    """Return the story state after a story."""
    state = 0
    for operation in story:
        state = NEXT[state][operation.code]
    return state


def longer(story: Story, letters: Sequence[Op]) -> Iterator[Story]:
    """Yield the stories with one operation more."""
    state = state_after(story)
    for letter in letters:
        if FITS[state][letter.code]:
            yield (*story, letter)


def stories(letters: Sequence[Op], length: int, start: Story = ()) -> Iterator[Story]:
    """Yield all stories of a length that begin with `start`, in the order of the letters."""
    if len(start) == length:
        yield start
        return
    for story in longer(start, letters):
        yield from stories(letters, length, story)
