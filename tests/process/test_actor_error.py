"""An actor's exception as text: people look at its last line."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.process.actor_error import error_text
from vblkfuzz.scenario.op import op


def raised(action: object) -> BaseException:
    assert callable(action)
    with pytest.raises(Exception) as caught:  # any
        action()
    return caught.value


class Device:
    def attach(self) -> None:
        raise ValueError("two\nlines")

    def through_ours(self) -> None:
        op("no such operation")


def test_it_ends_with_class_file_and_line() -> None:
    text = error_text(raised(Device().attach))
    line = Device.attach.__code__.co_firstlineno + 1
    assert f"in Device.attach ({Path(__file__)}, line {line})" in text.splitlines()[-1]
    assert text.startswith("Traceback")
    assert "ValueError: two\nlines" in text


def test_the_line_is_the_strangers_own_if_ours_raises() -> None:
    line = Device.through_ours.__code__.co_firstlineno + 1
    last = error_text(raised(Device().through_ours)).splitlines()[-1]
    assert last.startswith(f"in Device.through_ours ({Path(__file__)}, line {line}): ValueError: ")


def test_an_error_of_ours_alone_names_our_line() -> None:
    error = raised(lambda: op("no such operation"))
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
    while error.__traceback__ and error.__traceback__.tb_frame.f_code.co_filename == __file__:
        error.__traceback__ = error.__traceback__.tb_next
    assert "op.py, line " in error_text(error).splitlines()[-1]
