"""The fenced blocks of a page, and whether a command printed what a page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]*)\")?\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
_NUMBER: Final = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    language: str
    title: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    for found in _FENCE.finditer(page):
        lines = found["text"].splitlines(keepends=True)
        text = "".join(line.removeprefix(found["indent"]) for line in lines)
        yield Block(found["language"], found["title"] or "", text)


def missing_lines(shown: str, printed: str) -> list[str]:
    """Return the lines that a page shows and a command did not print, in this order.

    Numbers and the width of gaps may differ; a line `...` stands for any number of lines.
    """
    lines = iter([_form(line) for line in printed.splitlines()])
    wanted = [line for line in shown.splitlines() if line.strip() not in ("...", "")]
    return [line for line in wanted if _form(line) not in lines]


def _form(line: str) -> str:
    return " ".join(_NUMBER.sub("N", line).split())
