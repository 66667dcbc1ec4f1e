"""What code of others raises is shown in one line that is not long."""

from __future__ import annotations

import os
import sys

from vblkfuzz.foreign_code import own_process, shown


def test_a_long_exception_is_cut() -> None:
    line = shown(ValueError("x" * 1_000_000))
    assert line.startswith("ValueError('xxx")
    assert line.endswith("x ...")
    assert len(line) < 600


def test_lines_become_one() -> None:
    assert shown(ValueError("a\n  b")) == r"ValueError('a\n b')"


def test_a_class_that_cannot_show_itself_is_named() -> None:
    class Mute(Exception):
        def __repr__(self) -> str:
            raise RuntimeError

    assert shown(Mute()) == "Mute"


def test_a_module_does_not_decide_how_the_process_ends() -> None:
    """Else `sys.exit = os._exit` ends a worker that got a signal with status 0."""
    ends = sys.exit, os._exit
    with own_process():
        sys.exit = os._exit = lambda *_: None  # type: ignore[assignment]
    assert (sys.exit, os._exit) == ends
