"""Blame: whose doing an exception or an end of the device process is.

A `Fault` is the device's own doing, a finding; None means that it is ours, a fault of the harness.
"""

from __future__ import annotations

import linecache
from collections import Counter
from traceback import format_exception, walk_tb
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.dataplane.wrong_return import WrongValue
from vblkfuzz.process.cpu_limit import DEADLY, Hang
from vblkfuzz.process.memory_limit import words_of
from vblkfuzz.trace.fault import Fault, signal_name
from vblkfuzz.trace.kinds import CRASH, HANG

if TYPE_CHECKING:
    from types import CodeType

    from vblkfuzz.process.own_code import OwnCode

_SHORT: Final = 200
"""Characters of a name or a line that are kept."""
_MESSAGE: Final = 500
"""Characters of a message that are kept."""
_PART: Final = 2000
"""Characters of one call of a stack, and of its message, that are kept."""
_STACK: Final = 8000
"""Characters of a stack that are kept: those at its end."""


class Place(NamedTuple):
    """A line of code."""

    file: str
    function: str
    """Its qualified name."""
    first: int
    """Line in which the function begins."""
    line: int


def place_of(code: CodeType, line: int) -> Place:
    """Return the place of a line of a function."""
    return Place(code.co_filename, code.co_qualname, code.co_firstlineno, line)


def fault_of(error: BaseException, own: OwnCode) -> Fault | None:
    """Return what a device did wrong that raised `error`; None: it was not the device's code.

    A traceback that passes through code of the device is the device's, also where ours raised
    below it: with what it was given. So is a wrong value that a method of the device has returned
    (`dataplane.wrong_return`).
    """
    if isinstance(error, Hang):
        return _hang([code for code in error.stays if own.has(code)])
    places = _own_places(error, own)
    if isinstance(error.__cause__, StopIteration) and not places:
        error = error.__cause__  # Python has replaced it where it left a generator (PEP 479)
        places = _own_places(error, own)
    if isinstance(error, WrongValue):
        wrong = [place_of(one, one.co_firstlineno) for one in error.codes if own.has(one)]
        places = wrong[:1] or places
    if not places:
        return None
    place = _recurring(places) if isinstance(error, RecursionError) else places[-1]
    status = _exit_status(error) if isinstance(error, SystemExit) else 1
    what = printable(type(error).__name__, _SHORT)
    return _crash(place, what, printable(_message(error), _MESSAGE), status=status)


def _own_places(error: BaseException, own: OwnCode) -> list[Place]:
    """Return the lines of the device that an exception has passed, the innermost last."""
    passed = ((frame.f_code, line) for frame, line in walk_tb(error.__traceback__))
    return [place_of(code, line) for code, line in passed if own.has(code)]


def fault_at(place: Place, code: int) -> Fault:
    """Return what a device did wrong whose process ended in a line of its own.

    Args:
        place: that line.
        code: exit status; negative: the number of the signal.
    """
    if -code == DEADLY:
        return _hang_in(place)
    if code < 0:
        return _crash(place, signal_name(-code), "", signal=-code)
    return _crash(place, "exit", "", status=code)


def report_of(error: BaseException) -> str:
    """Return the stack of an exception, for people."""
    if isinstance(error, Hang):
        return error.stack
    return "".join(part[:_PART] for part in format_exception(error))[-_STACK:]


def printable(text: str, length: int) -> str:
    r"""Return text as one line of at most `length` characters that any terminal can show.

    >>> printable("two\n lines \udc80", 80)
    'two lines \\udc80'
    """
    line = " ".join(text.split())
    shown = "".join(one if one.isprintable() else repr(one)[1:-1] for one in line[:length])
    return shown[:length]


def _hang(stays: list[CodeType]) -> Fault | None:
    """Return the hang in the innermost of the device's functions that do not end."""
    if not stays:
        return None
    return _hang_in(place_of(stays[-1], stays[-1].co_firstlineno))


def _hang_in(place: Place) -> Fault:
    return Fault(HANG, "", "", *_names(place), place.first)


def _crash(place: Place, what: str, message: str, *, signal: int = 0, status: int = 0) -> Fault:
    text, twin = _source(place)
    names = _names(place)
    return Fault(CRASH, what, message, *names, place.line, text, twin, signal, status)


def _names(place: Place) -> tuple[str, str]:
    """Return function and file."""
    file = place.file.rpartition("/")[2]
    return printable(place.function, _SHORT), printable(file, _SHORT)


def _source(place: Place) -> tuple[str, int]:
    """Return the text of a line, and how many equal ones the function has before it."""
    raw = linecache.getline(place.file, place.line).strip()
    if not raw:
        return "", place.line - place.first
    before = range(place.first, place.line)
    twin = sum(linecache.getline(place.file, one).strip() == raw for one in before)
    return printable(raw, _SHORT), twin


def _recurring(places: list[Place]) -> Place:
    """Return where a recursion begins.

    Its innermost call is where Python's limit happened to be reached: that depends on who called
    us. So it is the outermost function that occurs again, else the outermost of all.
    """
    calls = Counter(place[:3] for place in places)
    return next((place for place in places if calls[place[:3]] > 1), places[0])


def _message(error: BaseException) -> str:
    try:
        return "; ".join(part for part in (str(error), words_of(error)) if part)
    except BaseException:  # the device's own class may raise anything
        return "its text cannot be had"


def _exit_status(error: SystemExit) -> int:
    """Return the status that Python would end with."""
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1
