"""The text form: for review, for writing by hand, and for the files in corpus/.

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
    on = "patch-v4"

On another target than the model, ``target = "qemu"`` stands above ``on``.

TOML 1.0. Arrays come first because keys after ``[device]`` would belong to that table. tomlkit
writes it, in one canonical layout. tomllib reads it: it is strict and reports line and column of an
error. The fields are described in `vblkfuzz.scenario.document`.
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
"""Version of the text form. Newer files are refused; older ones stay readable."""

_MAX_LINE: Final = 8192
"""Longest line (characters). For a dotted key tomllib takes time that grows with the square of its
length: hours for 1 MiB."""

_KEYS: Final = ("format", *SCENARIO_KEYS, "expect")
_BOM: Final = "\ufeff"
_STOPPED: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Text(NamedTuple):
    """The contents of a text file."""

    scenario: Scenario
    expectation: Expectation | None = None
    on: str = ""
    """The device that the expectation holds on; empty: not given."""
    target: str = ""
    """The target that has the device; empty: the model."""


def to_text(
    scenario: Scenario,
    comment: str = "",
    expectation: Expectation | None = None,
    on: str = "",
    target: str = "",
) -> str:
    """Return a scenario as text, with `comment` above it and the expectation below.

    Args:
        scenario: the scenario.
        comment: lines above it.
        expectation: the verdict that it must give.
        on: the device that the expectation holds on.
        target: the target that has the device; empty: the model. Without a device it says nothing.
    """
    text = tomlkit.document()
    for line in comment.splitlines():
        text.add(tomlkit.comment(_printable(line)))
    text["format"] = FORMAT
    for key, value in document_of(scenario).items():
        text[key] = _one_item_a_line(value) if isinstance(value, list) else value
    if expectation:
        fields = {**asdict(expectation), "target": target if on else "", "on": on}
        text["expect"] = {key: value for key, value in fields.items() if value}
    return _escaped(tomlkit.dumps(text))


def _one_item_a_line(items: list[Table]) -> Array:
    array = tomlkit.array().multiline(True)
    for item in items:
        table = tomlkit.inline_table()
        table.update(item)
        array.append(table)
    return array


def _escaped(text: str) -> str:
    """Escape characters that a terminal may act on: a device's name is not trusted."""
    return "".join(
        char if char.isprintable() or char == "\n" else f"\\U{ord(char):08x}" for char in text
    )


def _printable(line: str) -> str:
    """Escape the characters that TOML forbids in a comment."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )


def from_text(text: str, path: str) -> Scenario:
    """Return the scenario in a text; `path` is the file name used in errors.

    Raises:
        InputFileError: not TOML, or a field is unknown, missing or out of range.
    """
    return read_text(text, path).scenario


def read_text(text: str, path: str) -> Text:
    """Return the contents of a text: scenario, expectation, its device and its target.

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
    if text.startswith(_BOM):
        problem = "expected TOML, found a byte order mark (BOM): save the file as UTF-8 without it"
        raise InputFileError(path, "line 1 column 1", problem)
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _MAX_LINE:
            raise InputFileError(path, f"line {number}", f"expected at most {_MAX_LINE} characters")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputFileError(path, "", "expected a scenario, found deeply nested values") from None
    except ValueError as error:
        problem = str(error)
        stopped = _STOPPED.search(problem)
        place = "line {} column {}".format(*stopped.groups()) if stopped and stopped[1] else ""
        if stopped:
            problem, place = problem[: stopped.start()], place or "end of file"
        raise InputFileError(path, place, f"expected TOML: {problem}") from None
