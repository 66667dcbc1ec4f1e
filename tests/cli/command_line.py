"""The verbs and options of the command line, for tests that hold for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from vblkfuzz.cli.app import app


def verbs(group: object = None, *names: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each verb: the words that name it, and its command."""
    commands: dict[str, Any] = getattr(group or typer.main.get_command(app), "commands", {})
    for name, command in commands.items():
        if getattr(command, "commands", None):
            yield from verbs(command, *names, name)
        else:
            yield (*names, name), command


def options() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each option that has a value, with the words of its verb."""
    for names, command in verbs():
        for one in command.params:
            if one.opts[0].startswith("--") and not one.is_flag:
                yield names, one
