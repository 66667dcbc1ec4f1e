"""Code of others that vblkfuzz imports or calls: whatever it raises is a mistake there.

A module may call `sys.exit`, and pytest skips a module by an exception that is no `Exception`
either. If that passed through, vblkfuzz would end as the module says: with status 0 and no word.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

from vblkfuzz.errors import Stopped, UsageError, VblkfuzzError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGVTALRM)
_LONGEST: Final = 500
"""Characters of an exception that are shown."""


@contextmanager
def blamed(where: str) -> Iterator[None]:
    """Raise a UsageError that begins with `where` for all that the code inside raises.

    Our own errors pass, and so does the end that the user asks for by a signal.
    """
    try:
        yield
    except (VblkfuzzError, KeyboardInterrupt, Stopped):
        raise
    except BaseException as error:
        raise UsageError(f"{where}: {shown(error)}") from error


def shown(error: BaseException) -> str:
    """Return an exception as one line, whatever its class does."""
    name = type(error).__name__
    try:
        text = " ".join(repr(error).split())
    except Exception:
        return name
    cut = f"{text[:_LONGEST]} ..." if len(text) > _LONGEST else text
    return cut if cut.startswith(name) else f"{name}: {cut}"


@contextmanager
def no_arguments(program: str) -> Iterator[None]:
    """Hide our command line from a module, which could take it for its own."""
    ours = sys.argv
    sys.argv = [program]
    try:
        yield
    finally:
        sys.argv = ours


class EndsProcess(BaseException):
    """Raised instead of an end of the process."""

    def __repr__(self) -> str:
        return f"it calls os._exit({', '.join(map(repr, self.args))})"


@contextmanager
def no_exit() -> Iterator[None]:
    """Let `os._exit` raise in this process: it would end vblkfuzz without a word."""
    ours, pid = os._exit, os.getpid()

    def refuse(status: int) -> NoReturn:
        if os.getpid() != pid:  # a child that the code has forked
            ours(status)
        raise EndsProcess(status)

    os._exit = refuse
    try:
        yield
    finally:
        os._exit = ours


@contextmanager
def own_process() -> Iterator[None]:
    """Set back how the process ends, and the handlers of the signals that vblkfuzz needs.

    A module that replaces `sys.exit` or `os._exit` would decide on our exit status.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    ends = sys.exit, os._exit
    try:
        yield
    finally:
        sys.exit, os._exit = ends
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) != handler:
                with suppress(ValueError):  # only the main thread can, and could change them
                    signal.signal(number, handler)


_imported: list[str] = []


def note_import(module: str) -> None:
    """Note that a module of a user was imported into this process."""
    _imported.append(module)


def was_imported() -> bool:
    """Whether a module of a user was imported into this process."""
    return bool(_imported)


def end(status: int) -> NoReturn:
    """End this process without what an imported module wants to do then.

    Its threads would keep the process, and its `atexit` functions could change the exit status.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the verb has written what matters, and has checked it
            stream.flush()
    os._exit(status)
