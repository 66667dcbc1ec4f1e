"""Standard output and standard error of the command, for whatever they are connected to.

A write to stdout that fails raises `OutputLost`, in every verb and in the help: a full disk, or a
reader that has gone. A write to stderr that fails is dropped: messages there change no result. That
they were lost can be said on stdout.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Final

from vblkfuzz.cli.outlet import Outlet
from vblkfuzz.counted import counted
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
_UNREAD: Final = "not read in time"
_MOST_OUTPUT: Final = 16 << 20
"""Bytes of stdout that wait for their reader: the lines of a campaign of days."""
_MOST_MESSAGES: Final = 256 << 10
"""Bytes of stderr that do."""
_LAST_MESSAGES_S: Final = 2.0
"""Seconds that the reader of stderr has at the end."""


class _Output(io.FileIO):
    """Stdout."""

    outlet: Outlet | None = None
    """What writes, if it is not to wait for its reader."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write; a failure is no error of the program."""
        try:
            if self.outlet is None:
                return super().write(data)
            whole = bytes(memoryview(data).cast("B"))
            if not self.outlet.write(whole):
                raise OSError(errno.ENOBUFS, _UNREAD)
        except OSError as error:
            self.lose()
            raise OutputLost(error) from None
        return len(whole)

    def lose(self) -> None:
        """Write nothing from now on: the interpreter's last flush would fail again."""
        self.outlet = None
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDOUT)
        os.close(nowhere)


class _Messages(io.FileIO):
    """Stderr."""

    outlet: Outlet | None = None
    """What writes, if it is not to wait for its reader."""
    _left_out = 0
    """Messages that were left out just before."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write; a failure is ignored."""
        try:
            if self.outlet is None:
                return super().write(data)
            self._write_later(self.outlet, bytes(memoryview(data).cast("B")))
        except OSError as error:
            _note_lost(error.strerror or str(error))
        return len(memoryview(data).cast("B"))

    def _write_later(self, outlet: Outlet, message: bytes) -> None:
        """Write a message as its reader takes it, after a line on those that were left out."""
        said = f"vblkfuzz: {counted(self._left_out, 'message')} left out: {_UNREAD}\n"
        if outlet.write(said.encode() + message if self._left_out else message):
            self._left_out = 0
        else:
            self._left_out += 1
            _note_lost(_UNREAD)

    def deliver(self) -> None:
        """Give the reader a last chance."""
        try:
            patience = 0.0 if _lost else _LAST_MESSAGES_S
            if self.outlet and not self.outlet.drain(patience):
                _note_lost(_UNREAD)
        except OSError as error:
            _note_lost(error.strerror or str(error))


_guarded: Final[list[tuple[_Output, _Messages]]] = []
"""The streams, once they are guarded."""


def guard() -> None:
    """Replace the streams of the interpreter, before anything is written."""
    _open_all()
    output = _Output(_STDOUT, "wb", closefd=False)
    messages = _Messages(_STDERR, "wb", closefd=False)
    _guarded[:] = [(output, messages)]
    sys.stdout, sys.stderr = _text(output, sys.stdout), _text(messages, sys.stderr)


def wait_for_nobody() -> None:
    """Let no write wait for its reader from now on: a campaign works, whoever looks at it."""
    for output, messages in _guarded:
        output.outlet = output.outlet or Outlet(_STDOUT, _MOST_OUTPUT)
        messages.outlet = messages.outlet or Outlet(_STDERR, _MOST_MESSAGES)


def _deliver() -> None:
    """Wait for the readers at the end: as long as it takes for results, shortly for messages.

    Raises:
        OutputLost: the results could not be written.
    """
    for output, messages in _guarded:
        messages.deliver()
        try:
            if output.outlet:
                output.outlet.drain(inf)
        except OSError as error:
            output.lose()
            raise OutputLost(error) from None


@contextmanager
def results_said(note: Callable[[int], None]) -> Iterator[None]:
    """Write what is said inside, to the last byte.

    Args:
        note: called with the exit status of the process, if output is lost or a signal ends it.
    """
    try:
        yield
        sys.stdout.flush()
        _deliver()
    except (OutputLost, Stopped) as error:
        note(error.status)
        raise


def stdout_is_closed() -> bool:
    """Return whether the program was started without a standard output."""
    return _STDOUT in _closed


def messages_lost() -> str:
    """Return why messages on stderr were lost; empty: none was. Call it when all is said."""
    for _, messages in _guarded:
        messages.deliver()
    return _lost[0] if _lost else ""


def _note_lost(why: str) -> None:
    if not _lost:
        _lost.append(why)


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
