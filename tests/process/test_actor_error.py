"""An actor's exception as text: the last line names the origin."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.process.actor_error import error_text
from vblkfuzz.scenario.op import op


def raised(action: object) -> BaseException:
    assert callable(action)
    with pytest.raises(Exception) as caught:
        action()
    return caught.value


class Device:
    def attach(self) -> None:
        raise ValueError("two\nlines")

    def misuse_the_package(self) -> None:
        op("no such operation")


def test_it_ends_with_class_file_and_line() -> None:
    text = error_text(raised(Device().attach))
    line = Device.attach.__code__.co_firstlineno + 1
    assert f"in Device.attach ({Path(__file__)}, line {line})" in text.splitlines()[-1]
    assert text.startswith("Traceback")
    assert "ValueError: two\nlines" in text


def test_if_the_package_raises_the_line_is_that_of_the_device_that_called_it() -> None:
    line = Device.misuse_the_package.__code__.co_firstlineno + 1
    last = error_text(raised(Device().misuse_the_package)).splitlines()[-1]
    origin = f"in Device.misuse_the_package ({Path(__file__)}, line {line})"
    assert last.startswith(f"{origin}: ValueError: ")


def test_an_error_of_the_package_alone_names_the_line_in_the_package() -> None:
    error = raised(lambda: op("no such operation"))
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
    while error.__traceback__ and error.__traceback__.tb_frame.f_code.co_filename == __file__:
        error.__traceback__ = error.__traceback__.tb_next
    assert "op.py, line " in error_text(error).splitlines()[-1]
