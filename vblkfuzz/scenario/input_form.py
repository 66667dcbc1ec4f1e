"""The form of an input file: artifact, text or raw fuzz input.

The content decides. An artifact has its first entry, ``format = vblkfuzz``; a text is UTF-8 without
control characters. Any other bytes can only be a raw fuzz input, since the codec takes all
(`scenario.codec`).

The name is used where the content could mean two things: a name that ends in ``.vblk`` or ``.toml``
promises no raw input, so a damaged artifact is not run as one, and a name that libFuzzer or a
campaign gives to raw inputs promises one, however much its bytes look like text.
"""

from __future__ import annotations

import os
import re
from enum import Enum, auto
from typing import Final

import msgpack

_MAGIC: Final[bytes] = msgpack.packb("format") + msgpack.packb("vblkfuzz")
"""The entry of a MessagePack map that every artifact has; in files of this package it is first."""
_MAP_STARTS: Final = tuple(bytes([first]) for first in (*range(0x80, 0x90), 0xDE, 0xDF))
"""Possible first bytes of a MessagePack map. No text starts with one of them."""
_RAW_NAME: Final = re.compile(
    r".*\.bin|[0-9a-f]{40}|(crash|timeout|oom|leak|slow-unit|minimized-from)-[0-9a-f]{40}"
)
"""Names of raw inputs: ``input.bin`` of a finding, and those that libFuzzer gives, by SHA-1."""
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")
"""Bytes that no text has; they are no part of another character in UTF-8."""
_NAMED_FORMS: Final = (".vblk", ".toml")


class Form(Enum):
    """What an input file holds."""

    ARTIFACT = auto()
    """A `.vblk` file (`scenario.artifact`)."""
    TEXT = auto()
    """A `.toml` file (`scenario.text`)."""
    RAW = auto()
    """Bytes for `scenario.codec.decode`: a corpus file, or what libFuzzer wrote."""


def form_of(path: str, data: bytes) -> Form:
    """Return the form of a file with this name and content (the beginning is enough).

    >>> form_of("story", b"format = 1")
    <Form.TEXT: 2>
    >>> form_of("crash-da39a3ee5e6b4b0d3255bfef95601890afd80709", b"abc")
    <Form.RAW: 3>
    """
    name = os.path.basename(path)
    if data[:1] in _MAP_STARTS and _MAGIC in data:
        return Form.ARTIFACT
    if is_raw_name(name):
        return Form.RAW
    if _is_text(data) or name.endswith(".toml"):
        return Form.TEXT
    return Form.ARTIFACT if name.endswith(".vblk") else Form.RAW


def has_input_name(name: str) -> bool:
    """Whether a file of this name is meant as an input, whatever it holds."""
    return name.endswith(_NAMED_FORMS) or is_raw_name(name)


def is_input_among_others(path: str, data: bytes) -> bool:
    """Whether a file of a folder of any files is meant as an input; the beginning is enough.

    A text is one only by its name, and an empty file, too.
    """
    if has_input_name(os.path.basename(path)):
        return True
    return bool(data) and form_of(path, data) is not Form.TEXT


def is_raw_name(name: str) -> bool:
    """Whether a file of this name is a raw input, whatever its bytes look like."""
    return _RAW_NAME.fullmatch(name) is not None


def _is_text(data: bytes) -> bool:
    """Whether the bytes are text without control characters. White space alone says nothing.

    A few bytes that are no UTF-8 do not matter: in the beginning of a file the last character is
    cut off, and the reader says where another one is.
    """
    if _CONTROL.search(data):
        return False
    text = data.decode(errors="ignore")
    return len(data) - len(text.encode()) < 4 and bool(text.strip())
