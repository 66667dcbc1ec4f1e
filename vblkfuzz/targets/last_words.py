"""The place of a crash in the last output of its process: a failed assertion, a sanitizer, a panic.

The last line of standard error is not used for that: other threads write to it as well, before and
after the message of the crash. Numbers of lines do not count, so that a name survives edits of the
source. Values and addresses do not count either; the numbers in an asserted expression do.

Formats: assert(3) and malloc of glibc; g_assert and g_error of GLib; error_abort and hw_error of
QEMU; sanitizers of GCC and Clang; panics of Rust; std::terminate of GCC.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vblkfuzz.process.blame import printable


class Place(NamedTuple):
    """Where a program says that it failed; parts that it does not say are empty."""

    message: str
    """What failed, as the program says it."""
    function: str = ""
    file: str = ""
    """Name of the source file, without a folder."""
    line: int = 0
    text: str = ""
    """The part of the message that is the same in each run."""


_AT: Final = r"(?P<file>[^\s:]+):(?P<line>\d+)"
_FORMS: Final = tuple(
    re.compile(form, re.MULTILINE)
    for form in (
        rf"{_AT}: (?P<function>[^\n]+?): (?P<message>Assertion [`'](?P<exact>[^\n]+)' failed)",
        rf"ERROR:{_AT}:(?P<function>[^\n:]*):? (?P<message>assertion failed:? \(?(?P<exact>[^\n]*?)"
        r"\)?)(?:: \([^\n]*\))?$",
        rf"ERROR:{_AT}:(?P<function>[^\n:]*):? (?P<message>[^\n]+)$",
        rf"Unexpected error in (?P<function>\w+)\(\) at {_AT}:\n(?P<message>[^\n]+)",
        r"SUMMARY: \w+Sanitizer: (?P<message>[\w-]+)(?: (?P<file>[^\s:]+)(?::(?P<line>\d+))?"
        r"[^\s]*)?(?: in (?P<function>[^\n]+))?$",
        rf"{_AT}:\d+: (?P<message>runtime error: [^\n]+)$",
        rf"panicked at {_AT}:\d+:\n(?P<message>[^\n]+)",
        rf"panicked at '(?P<message>[^\n]+)', {_AT}",
        r"(?P<message>terminate called [^\n]+(?:\n  what\(\):  [^\n]+)?)",
        r"ERROR \*\*: (?:[\d:.]+: )?(?P<message>[^\n]+)$",
        r"(?P<message>hardware error: [^\n]+)$",
        r"^(?P<message>\*\*\* [^\n]+ \*\*\*: terminated)$",
        r"^(?P<message>(?:double free or corruption|corrupted |Fatal glibc error: |"
        r"[a-z_]+\(\): (?:invalid|unaligned|corrupted|memory|mismatching|unsorted|largebin|"
        r"smallbin|chunks|double))[^\n]*)$",
    )
)
_LONGEST: Final = 500
"""Characters of a message that are kept."""
_TIME: Final = re.compile(r"^[\d-]+T[\d:.]+Z ")
"""What QEMU writes before a message (``-msg timestamp=on``)."""
_CHANGING: Final = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)


_VARYING: Final = (
    (re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*Z ", re.MULTILINE), ""),
    (re.compile(r"^==\d+==", re.MULTILINE), "==PID=="),
    (re.compile(r"^((?:\*\* )?\([^\s():]+):\d+\):", re.MULTILINE), r"\1):"),
    (re.compile(r"(\(pid=)\d+(?=\))"), r"\1PID"),
    (re.compile(r"( \*\*: |: )\d\d:\d\d:\d\d\.\d+: "), r"\1"),
)
"""What differs between two runs: times of QEMU and GLib, process ids of sanitizers and GLib."""


def without_times(words: str) -> str:
    r"""Return a process's output without times and process ids: two runs then give the same.

    >>> print(without_times("2026-11-29T00:56:37.4Z qemu: a\n==17==ERROR: b\n(qemu:17): GLib-C: c"))
    qemu: a
    ==PID==ERROR: b
    (qemu): GLib-C: c
    """
    for form, instead in _VARYING:
        words = form.sub(instead, words)
    return words


def place_in(words: str) -> Place | None:
    """Return the place that the last such message in a process's output names; None: there is none.

    >>> place = place_in("qemu: ../block/io.c:7: bdrv_write: Assertion `bytes > 0' failed.")
    >>> place.function, place.file, place.line, place.text
    ('bdrv_write', 'io.c', 7, 'bytes > 0')
    """
    found = [match for form in _FORMS for match in form.finditer(words)]
    # The first of the forms that match at the same place is the most precise.
    return _place(max(found, key=lambda match: match.end())) if found else None


def _place(match: re.Match[str]) -> Place:
    found = match.groupdict(default="").items()
    parts = {name: printable(part, _LONGEST) for name, part in found}
    message = parts["message"]
    return Place(
        message,
        parts.get("function", ""),
        parts.get("file", "").rpartition("/")[2],
        int(parts.get("line", "") or 0),
        parts.get("exact", "") or _CHANGING.sub("", message),
    )


def farewell(words: str) -> Place:
    """Return the last line of a process that exited without such a message.

    >>> farewell("2026-11-29T00:56:37.4Z qemu: no disk 3 left")
    Place(message='qemu: no disk 3 left', function='', file='', line=0, text='qemu: no disk  left')
    """
    message = printable(_TIME.sub("", words.rpartition("\n")[2]), _LONGEST)
    return Place(message, text=_CHANGING.sub("", message))


def last_line(words: str) -> str:
    """Return the last line of a process's standard error, for a message of one line."""
    return words.rpartition("\n")[2].strip() or "no message on standard error"
