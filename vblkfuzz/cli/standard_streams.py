"""Standard output and standard error of the command, for whatever they are connected to.

A write to stdout that fails raises `OutputLost`, in every verb and in the help: a full disk, or a
reader that has gone. A write to stderr that fails is dropped: messages there change no result. That
they were lost can be said on stdout.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import OutputLost, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from _typeshed import ReadableBuffer

_STDOUT: Final = 1
_STDERR: Final = 2
_closed: Final[set[int]] = set()
"""Descriptors that were closed when the program began."""
_lost: Final[list[str]] = []
"""Why messages were lost, at the first failure."""


class _Output(io.FileIO):
    """Stdout."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write; a failure is no error of the program."""
        try:
            return super().write(data)
        except OSError as error:
            _forget(_STDOUT)
            raise OutputLost(error) from None


class _Messages(io.FileIO):
    """Stderr."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write; a failure is ignored."""
        try:
            return super().write(data)
        except OSError as error:
            if not _lost:
                _lost.append(error.strerror or str(error))
            return len(memoryview(data).cast("B"))


def guard() -> None:
    """Replace the streams of the interpreter, before anything is written."""
    _open_all()
    sys.stdout = _text(_Output(_STDOUT, "wb", closefd=False), sys.stdout)
    sys.stderr = _text(_Messages(_STDERR, "wb", closefd=False), sys.stderr)


@contextmanager
def results_said(note: Callable[[int], None]) -> Iterator[None]:
    """Write what is said inside, to the last byte.

    Args:
        note: called with the exit status of the process, if output is lost or a signal ends it.
    """
    try:
        yield
        sys.stdout.flush()
    except (OutputLost, Stopped) as error:
        note(error.status)
        raise


def stdout_is_closed() -> bool:
    """Return whether the program was started without a standard output."""
    return _STDOUT in _closed


def messages_lost() -> str:
    """Return why messages on stderr were lost; empty: none was."""
    return _lost[0] if _lost else ""


def _open_all() -> None:
    """Connect a descriptor that is closed (``>&-``) to nothing, so that no file gets its number."""
    while (free := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(free, True)
        _closed.add(free)
    os.close(free)


def _text(raw: io.FileIO, before: TextIO | None) -> TextIO:
    """Return a text stream like the one before, which is None if its descriptor was closed."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before else "utf-8",
        errors="backslashreplace",  # a name that the locale has no characters for is no error
        line_buffering=raw.fileno() == _STDERR or raw.isatty(),
    )


def _forget(number: int) -> None:
    """Send what is still to be written nowhere: the interpreter's last flush would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
