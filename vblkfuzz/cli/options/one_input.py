"""Reads the one input that a verb is given, whatever form it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.cli.views.complaint import say

if TYPE_CHECKING:
    from vblkfuzz.scenario.artifact import Artifact, InputFile


def read_one(path: str) -> Artifact:
    """Return the one input that `path` stands for.

    Raises:
        InputFileError: there is none, there are several, or it cannot be read.
    """
    from vblkfuzz.triage.inputs import input_at, one_file

    name = one_file(path)
    file = input_at(name)
    say_guess(name, file)
    return file.artifact


def say_guess(path: str, file: InputFile) -> None:
    """Say on stderr that a file was taken for a raw input, if its name does not tell.

    Any few bytes are one: the user may have named another file by mistake.
    """
    if file.guessed(path):
        say(f"{path}: read as a raw fuzz input of {len(file.raw)} bytes")
