"""The text form: what people read in a review, write by hand and keep in corpus/.

    format = 1
    ops = [
        {op = "publish_kick", queue = 0, request = "out", sector = 3, sectors = 1},
        {op = "drain_begin", wait = "poll"},
    ]
    schedule = [
        {op = 0, point = 2, go = "main"},
        {op = 1, point = 7, go = "next", delayed = true},
    ]

    [device]
    iothreads = 2

    [expect]
    verdict = "violation"
    rule = "S1"
    on = "seed"

TOML 1.0. Arrays come first because whatever follows ``[device]`` belongs to it. Written by tomlkit,
in one canonical layout; read by tomllib, which is strict and says where it stopped. The meaning of
the fields is in `vblkfuzz.scenario.document`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from typing import Final, NamedTuple

import tomlkit
from tomlkit.items import Array

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.document import SCENARIO_KEYS, document_of, expectation_of, scenario_of
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.field import FieldError, Table, table_at, version_at
from vblkfuzz.scenario.scenario import Scenario

FORMAT: Final = 1
"""Version of the text form. Files of a newer one are refused, older ones are read for ever."""

_MAX_LINE: Final = 8192
"""Characters of a line. A dotted key costs tomllib the square of its length: 1 MiB takes hours."""

_KEYS: Final = ("format", *SCENARIO_KEYS, "expect")
_STOPPED: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Text(NamedTuple):
    """All that a text file says."""

    scenario: Scenario
    expectation: Expectation | None = None
    on: str = ""
    """The device that the expectation holds on; empty: not said."""


def to_text(
    scenario: Scenario, comment: str = "", expectation: Expectation | None = None, on: str = ""
) -> str:
    """Return a scenario as text, with `comment` above it and the expectation below."""
    text = tomlkit.document()
    for line in comment.splitlines():
        text.add(tomlkit.comment(_printable(line)))
    text["format"] = FORMAT
    for key, value in document_of(scenario).items():
        text[key] = _one_item_a_line(value) if isinstance(value, list) else value
    if expectation:
        said = {**asdict(expectation), "on": on}
        text["expect"] = {key: value for key, value in said.items() if value}
    return tomlkit.dumps(text)


def _one_item_a_line(items: list[Table]) -> Array:
    array = tomlkit.array().multiline(True)
    for item in items:
        table = tomlkit.inline_table()
        table.update(item)
        array.append(table)
    return array


def _printable(line: str) -> str:
    """Return a line without the characters that TOML forbids in a comment."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )


def from_text(text: str, path: str) -> Scenario:
    """Return the scenario in a text; `path` is the name that errors give the file.

    Raises:
        InputFileError: not TOML, or a field is unknown, missing or out of range.
    """
    return read_text(text, path).scenario


def read_text(text: str, path: str) -> Text:
    """Return all that a text says, its expectation included.

    Raises:
        InputFileError: as `from_text`.
    """
    document = _parse(text, path)
    try:
        version_at("format", document.get("format"), FORMAT)
        table_at("", document, _KEYS)
        scenario = scenario_of(document)
        if "expect" not in document:
            return Text(scenario)
        return Text(scenario, *expectation_of(document["expect"]))
    except FieldError as error:
        raise InputFileError(path, error.place, error.problem) from None


def _parse(text: str, path: str) -> Table:
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _MAX_LINE:
            raise InputFileError(path, f"line {number}", f"expected at most {_MAX_LINE} characters")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputFileError(path, "", "expected a scenario, found values nested deep") from None
    except ValueError as error:
        problem = str(error)
        stopped = _STOPPED.search(problem)
        place = "line {} column {}".format(*stopped.groups()) if stopped and stopped[1] else ""
        if stopped:
            problem, place = problem[: stopped.start()], place or "end of file"
        raise InputFileError(path, place, f"expected TOML: {problem}") from None
