"""An actor's exception as text: the traceback, then one line that says where it came from.

The last line is what people see of it on the screen, so it names class, file and line. Of a device
from outside this project that is the innermost of its own lines, not ours below it.
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
    *_, what = "".join(format_exception_only(error)).splitlines()
    return f"{''.join(format_exception(error))}in {_origin(error)}: {what}"


def _origin(error: BaseException) -> str:
    """Return ``Class.method (file, line)``."""
    places = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    strangers = [place for place in places if not _is_ours(place[0])]
    code, line = (strangers or places)[-1]
    return f"{code.co_qualname} ({code.co_filename}, line {line})"


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith((_PACKAGE, "<"))
