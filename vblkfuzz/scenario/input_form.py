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
_SPACES: Final = "\t\n\r\f"


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


def is_raw_name(name: str) -> bool:
    """Whether a file of this name is a raw input, whatever its bytes look like."""
    return _RAW_NAME.fullmatch(name) is not None


def _is_text(data: bytes) -> bool:
    """Whether the bytes are text without control characters. White space alone says nothing.

    A few bytes that are no UTF-8 do not matter: in the beginning of a file the last character is
    cut off, and the reader says where another one is.
    """
    text = data.decode(errors="ignore")
    lost = len(data) - len(text.encode())
    return lost < 4 and bool(text.strip()) and all(one >= " " or one in _SPACES for one in text)
