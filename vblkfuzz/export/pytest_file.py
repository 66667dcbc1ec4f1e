"""Findings as a test file in plain Python, on the public API.

A test fails on a device with the bug and passes on one without it. The environment variable
VBLK_DEVICE replaces the device on which the finding was seen. Values that are the default are left
out, so that the file reads like one written by hand.
"""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import NotReproduced
from vblkfuzz.export.export import Export
from vblkfuzz.export.licence import SPDX
from vblkfuzz.scenario.artifact import DEFAULT_TARGET
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Deviation, Scenario
    from vblkfuzz.triage.case import Case

_WIDTH: Final = 88
_DEVICE: Final = 'DEVICE = os.environ.get("VBLK_DEVICE")'
_INDENT: Final = "    "
_NAMES: Final = (
    *("Deviation", "DeviceConfig", "Go", "Place", "Role", "Scenario"),
    *("assert_clean", "op"),
)
"""Names that a file may import, in order."""


def pytest_text(cases: Sequence[Case]) -> str:
    """Return a test for each case that could be judged.

    Raises:
        HarnessError: no case could be judged.
        NotReproduced: a finding is not reproduced any more, so its test could not fail.
    """
    judged = [case for case in cases if case.outcome.run.execution] or cases
    tests = [_test(case, number) for case, number in _numbered(judged)]
    names = [name for name in _NAMES if any(re.search(rf"\b{name}\(", one) for one in tests)]
    members = {name for name in ("Go", "Role") if any(f"={name}." in one for one in tests)}
    names = sorted({*names, *members}, key=_NAMES.index)
    head = "\n".join(_head(cases))
    return f"{head}\nfrom vblkfuzz import {', '.join(names)}\n\n{_DEVICE}\n\n\n{_join(tests)}"


def _join(tests: list[str]) -> str:
    return "\n\n\n".join(tests) + "\n"


def _head(cases: Sequence[Case]) -> Iterator[str]:
    """Yield the docstring and the import of os."""
    rules = {case.rule.id: case.rule for case in cases if case.rule}
    titles = [f"{rule.id}: {rule.title}" for rule in rules.values()] or ["Clean scenarios."]
    first, *others = titles
    yield f"# {SPDX}"
    yield f'"""{first}'
    yield from others
    yield ""
    yield "Written by vblkfuzz export. A test fails on a device with the bug and passes on one"
    yield "without it; the environment variable VBLK_DEVICE chooses the device."
    yield '"""'
    yield ""
    yield "import os"
    yield ""


def _numbered(cases: Sequence[Case]) -> Iterator[tuple[Case, int]]:
    """Yield each case with its number among the cases of the same signature, from 1 on."""
    seen: dict[str, int] = {}
    for case in cases:
        seen[case.signature] = number = seen.get(case.signature, 0) + 1
        yield case, number


def _test(case: Case, number: int) -> str:
    execution = case.execution
    expected = case.outcome.artifact.expectation
    if expected and expected.verdict == "violation" and case.violation is None:
        raise NotReproduced(f"{case.outcome.input}: does not show {expected.signature} any more")
    name = re.sub(r"\W+", "_", case.signature or "clean") + (f"_{number}" if number > 1 else "")
    sentence = case.violation.sentence if case.violation else "Nothing is wrong."
    lines = [
        f"def test_{name}() -> None:",
        *_docstring(sentence),
        f"{_INDENT}scenario = Scenario(",
        *(_INDENT * 2 + line for line in _arguments(execution.scenario)),
        f"{_INDENT})",
        f"{_INDENT}{_assertion(case)}",
    ]
    return "\n".join(lines)


def _docstring(sentence: str) -> list[str]:
    lines = wrap(sentence, _WIDTH)
    if len(lines) == 1:
        return [f'{_INDENT}"""{sentence}"""']
    first, *others = (_INDENT + line for line in lines)
    return [f'{_INDENT}"""{first.strip()}', *others, f'{_INDENT}"""']


def _arguments(scenario: Scenario) -> Iterator[str]:
    """Yield the lines of the arguments of Scenario(...)."""
    yield from _device(scenario.device.differing())
    yield "ops=("
    for operation in scenario.ops:
        yield from (_INDENT + line for line in _op(operation))
    yield "),"
    if scenario.schedule:
        yield "schedule=("
        for one in scenario.schedule:
            yield from (_INDENT + line for line in _deviation(one))
        yield "),"


def _device(differing: Mapping[str, object]) -> Iterator[str]:
    settings = [f"{name}={value!r}" for name, value in differing.items()]
    line = f"device=DeviceConfig({', '.join(settings)}),".replace("'", '"')
    if settings and len(line) <= _WIDTH:
        yield line
    elif settings:
        yield "device=DeviceConfig("
        yield from (f"{_INDENT}{one},".replace("'", '"') for one in settings)
        yield "),"


def _op(operation: Op) -> list[str]:
    """Return the lines of an operation: one, unless it has too many arguments."""
    plain = op(operation.name).args
    words = [
        f"{name}={value!r}".replace("'", '"')
        for name, value in operation.args.items()
        if value != plain.get(name)
    ]
    name = f'"{operation.name}"'
    line = f"op({', '.join([name, *words])}),"
    if len(line) <= _WIDTH - len(_INDENT):
        return [line]
    return ["op(", *(f"{_INDENT}{word}," for word in (name, *words)), "),"]


def _deviation(one: Deviation) -> list[str]:
    """Return the lines of a deviation: one, unless it has too many arguments."""
    words = [f"op={one.op}", f"point={one.point}", f"go=Go.{one.go.name}"]
    words += ["delayed=True"] * one.delayed
    words += [f"role=Role.{one.role.name}"] * (one.role is not Role.ANY)
    words += ["locks=True"] * one.locks
    line = f"Deviation({', '.join(words)}),"
    if one.place is None and len(line) <= _WIDTH - len(_INDENT):
        return [line]
    place = _place(one.place) if one.place else ()
    return ["Deviation(", *(f"{_INDENT}{word}," for word in words), *place, "),"]


def _place(place: Place) -> list[str]:
    """Return the lines of the argument of a deviation that is its place."""
    plain = Place(place.event)
    words = [
        f"{name}={value!r}".replace("'", '"')
        for name, value in place._asdict().items()
        if name == "event" or value != getattr(plain, name)
    ]
    return [f"{_INDENT}place=Place(", *(f"{_INDENT * 2}{word}," for word in words), f"{_INDENT}),"]


def _assertion(case: Case) -> str:
    target, device, mode = case.outcome.setup
    words = ["scenario", f'DEVICE or "{device}"']
    if case.violation:
        words.append(f'rule="{case.violation.rule}"')
    if target != DEFAULT_TARGET:
        words += [f'target="{target}"', f'mode="{mode}"']
    return f"assert_clean({', '.join(words)})"


EXPORT: Final = Export(summary="tests in plain Python, one for each finding", text=pytest_text)
