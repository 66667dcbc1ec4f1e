"""Findings in the Test Anything Protocol, version 13, which `meson test` and `prove` read.

A failed test is followed by its story in comments, since few readers take blocks of YAML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.export.export import Export
from vblkfuzz.export.licence import SPDX
from vblkfuzz.export.result import Result, State, results_of, unreadable_results

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.errors import InputFileError
    from vblkfuzz.triage.case import Case

_BAD: Final = (State.FAILED, State.ERROR)


def tap_text(tests: Sequence[Result]) -> str:
    """Return the results of tests, a point each."""
    return "\n".join(_lines(tests)) + "\n"


def _lines(tests: Sequence[Result]) -> Iterator[str]:
    yield "TAP version 13"
    yield f"# {SPDX}"
    yield f"1..{len(tests)}"
    for number, one in enumerate(tests, 1):
        bad = one.state in _BAD
        reason = f" # SKIP {_plain(one.message)}" if one.state is State.SKIPPED else ""
        yield f"{'not ok' if bad else 'ok'} {number} - {_plain(one.name)}{reason}"
        if bad:
            yield from (f"# {line}".rstrip() for line in _about(one))


def _about(one: Result) -> list[str]:
    if one.state is State.ERROR:
        return [f"no verdict: {one.message}", *one.text.splitlines()]
    return one.text.splitlines() or [one.message]


def _plain(text: str) -> str:
    """Return text in one line, in which no directive begins."""
    return " ".join(text.split()).replace("#", "\\#")


def _cases_text(cases: Sequence[Case], unreadable: Sequence[InputFileError] = ()) -> str:
    return tap_text([*results_of(cases), *unreadable_results(unreadable)])


EXPORT: Final = Export(
    summary="TAP 13: a test for each input, for meson test and prove",
    text=_cases_text,
    whole=_cases_text,
)
