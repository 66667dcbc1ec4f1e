"""Checks and writes the output file of a verb.

A file is replaced by a complete one, a link stays and what it names is replaced. A pipe or a
character device is written and never read, removed or replaced. Anything else is refused.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Final

from vblkfuzz.cli.standard_streams import stdout_is_closed
from vblkfuzz.errors import OutputLost, UsageError
from vblkfuzz.scenario.file_bytes import read_at_most
from vblkfuzz.store.atomic import write_file

_STDOUT: Final = ("-", "/dev/stdout")
_NO_READER: Final = "no program reads this pipe"


def is_stdout(output: Path) -> bool:
    """Return whether a name stands for standard output."""
    return str(output) in _STDOUT


def check_suffix(output: Path, *suffixes: str) -> None:
    """Check the name of an output file.

    Raises:
        UsageError: the name ends in none of the suffixes.
    """
    if output.suffix not in suffixes:
        raise UsageError(f"{output}: expected a name that ends in {' or '.join(suffixes)}")


def check_absent(output: Path, *, force: bool) -> None:
    """Check that the output can be written, before the work that takes long.

    Raises:
        UsageError: as `check_possible`, or the file exists and `force` is not set.
    """
    check_possible(output)
    if not _is_stream(output) and output.exists() and not force:
        raise UsageError(f"{output}: exists; --force replaces it")


def check_possible(output: Path) -> None:
    """Check that there is a place for the output, before the work.

    Raises:
        UsageError: it is a folder or the like, or its folder does not exist or cannot be written.
    """
    if is_stdout(output) and stdout_is_closed():
        raise UsageError("standard output: cannot be written: it is closed")
    if is_stdout(output) or _is_stream(output):
        return
    folder = os.path.dirname(os.path.realpath(output))
    if not os.path.isdir(folder):
        raise UsageError(f"{output}: cannot be written: no such folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{output}: cannot be written: no permission to write in its folder")


def check_written_before(output: Path, begin: str) -> None:
    """Check that a file which is there is empty, or was written by the same command before.

    Raises:
        UsageError: as `check_possible`, or it begins in another way.
    """
    check_possible(output)
    if is_stdout(output) or _is_stream(output) or not output.exists():
        return
    try:
        found = read_at_most(output, len(begin))
    except OSError as error:
        raise UsageError(f"{output}: cannot be read: {error.strerror}") from None
    if found not in (b"", begin.encode()):
        raise UsageError(f"{output}: exists, and is of another kind; choose another name")


def print_output(output: Path, text: str, *, force: bool) -> None:
    """Write a text to stdout if the name is ``-`` or that of stdout, else as `write_output`.

    Raises:
        UsageError: it cannot be written, as for any other name.
        OutputLost: stdout is a pipe whose reader has left.
    """
    if is_stdout(output):
        _print(output, text)
    else:
        write_output(output, text.encode(), force=force)


def _print(output: Path, text: str) -> None:
    try:
        print(text, end="")
        sys.stdout.flush()
    except OutputLost as error:
        if error.reader_left:
            raise
        raise UsageError(str(error)) from None


def write_output(output: Path, data: bytes, *, force: bool) -> None:
    """Write a file completely or not at all; an existing one is replaced only with `force`.

    Raises:
        UsageError: a file with other content exists, it is a folder or the like, or it cannot be
            written.
    """
    try:
        if _is_stream(output):
            _write_stream(output, data)
        elif force or not _keeps(output, data):
            write_file(output.resolve(), data)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror or error}") from None


def _keeps(output: Path, data: bytes) -> bool:
    """Return whether a file has the data already.

    Raises:
        UsageError: it has other content.
    """
    if not output.exists():
        return False
    # The size first: a file of another one need not be read, however large it is.
    if output.stat().st_size == len(data) and output.read_bytes() == data:
        return True
    raise UsageError(f"{output}: exists with other content; --force replaces it")


def _is_stream(output: Path) -> bool:
    """Return whether a name is that of a pipe or a character device.

    Raises:
        UsageError: it is neither that nor a file, nor free.
    """
    try:
        mode = output.stat().st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror}") from None
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return True
    if not stat.S_ISREG(mode):
        raise UsageError(f"{output}: expected a file, found a {_what(mode)}")
    return False


def _what(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "folder"
    return "socket" if stat.S_ISSOCK(mode) else "disk"


def _write_stream(output: Path, data: bytes) -> None:
    """Write into a pipe or a device; without waiting for a reader that may never come."""
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO and output.is_fifo():
            raise OSError(errno.ENXIO, _NO_READER) from None
        raise
    os.set_blocking(descriptor, True)
    with open(descriptor, "wb", buffering=0) as file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
