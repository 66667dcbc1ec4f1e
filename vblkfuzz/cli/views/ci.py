"""The results of a job of continuous integration, as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.counted import counted
from vblkfuzz.export.result import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.export.result import Result

_STYLES: Final = {State.FAILED: "bold red", State.ERROR: "yellow", State.SKIPPED: "dim"}
_MOST: Final = 20
"""Tests of each kind that are named; the reports have all."""


def say_tests(tests: Sequence[Result]) -> None:
    """Print the tests that did not pass, and how many there are of each kind."""
    screen = Screen()
    screen.say()
    for state, style in _STYLES.items():
        named = [one for one in tests if one.state is state]
        for one in named[:_MOST]:
            label = f"{state.upper():<8}"
            screen.say(f"{label}{one.name}", style)
            screen.wrapped(one.message, indent=len(label))
        if len(named) > _MOST:
            screen.say(f"        and {len(named) - _MOST} more {state}")
    counts = Counter(one.state for one in tests)
    figures = (f"{counts[state]} {state}" for state in State if counts[state])
    screen.say(f"{counted(len(tests), 'test')}: {', '.join(figures)}")
