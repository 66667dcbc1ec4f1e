"""The commands that pages show, and which of them no test runs."""

from __future__ import annotations

import re
import shlex
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tests.checkout import CHECKOUT
from tests.docs.page_blocks import blocks

PAGES: Final = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((CHECKOUT / "docs").glob("*.md")),
    *sorted((CHECKOUT / "examples").rglob("*.md")),
]
NOT_RUN: Final[dict[str, str]] = tomllib.loads((Path(__file__).parent / "not_run.toml").read_text())
"""Patterns of commands, with the reason."""
_PROGRAMS: Final = ("vblkfuzz", "pytest", "python", "python3", "pip", "tox")
"""What the commands in blocks without a language begin with; such a block may also be output."""
_CONTINUED: Final = re.compile(r"\\\n\s*")


def commands(page: Path) -> list[str]:
    """The commands of a page in order, each as one line without its comment."""
    found = []
    for block in blocks(page.read_text()):
        lines = [_uncommented(line) for line in _joined(block.text).splitlines()]
        if block.language == "":
            lines = [line for line in lines if line.partition(" ")[0] in _PROGRAMS]
        found += lines if block.language in ("sh", "") else []
    return [command for command in found if command]


def _joined(text: str) -> str:
    """Join lines that end in a backslash, and quoted text of several lines."""
    lines: list[str] = []
    for line in _CONTINUED.sub(" ", text).splitlines():
        if lines and lines[-1].split("#")[0].count("'") % 2:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return "\n".join(lines)


def _uncommented(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line).strip()


def why_not_run(command: str) -> str:
    """Return the reason why no test runs a command; empty: one does."""
    found = [NOT_RUN[pattern] for pattern in NOT_RUN if fnmatchcase(command, pattern)]
    return found[0] if found else ""


def invocations(command: str) -> list[list[str]]:
    """Return the calls of vblkfuzz within a command of the shell, as words."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    calls: list[list[str]] = []
    inside = False
    for word in lexer:
        if not inside and word.rpartition("/")[2] == "vblkfuzz":
            calls.append(["vblkfuzz"])
            inside = True
        elif set(word) <= set("();<>|&"):
            inside = False
        elif inside:
            calls[-1].append(word)
    return calls
