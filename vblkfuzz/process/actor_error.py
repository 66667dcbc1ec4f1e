"""An actor's exception as text: the traceback, then one line that names its origin.

``vblkfuzz replay`` prints only that last line, so it names class, file and line. If code from
outside this project is in the traceback, the origin is the innermost line of that code, even when
vblkfuzz raised the exception further in.
"""

from __future__ import annotations

from pathlib import Path
from traceback import format_exception, format_exception_only, walk_tb
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import CodeType

_PACKAGE: Final = str(Path(__file__).resolve().parent.parent)


def error_text(error: BaseException) -> str:
    """Return the traceback of a raised exception, and its origin in the last line."""
    *_, summary = "".join(format_exception_only(error)).splitlines()
    return f"{''.join(format_exception(error))}in {_origin(error)}: {summary}"


def _origin(error: BaseException) -> str:
    """Return ``Class.method (file, line)``."""
    places = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    outside = [place for place in places if not _in_package(place[0])]
    code, line = (outside or places)[-1]
    return f"{code.co_qualname} ({code.co_filename}, line {line})"


def _in_package(code: CodeType) -> bool:
    return code.co_filename.startswith((_PACKAGE, "<"))
