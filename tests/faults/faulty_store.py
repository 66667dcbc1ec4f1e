"""A file system of fsspec for stores, ``faulty://FOLDER``, that fails as a test says at the moment.

The test writes a word into a file; each call is noted in another one, with the thread it is from.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any, Final

from fsspec.implementations.local import LocalFileSystem

from tests.checkout import CHECKOUT

PROTOCOL: Final = "faulty"
FAULT: Final = "VBLKFUZZ_STORE_FAULT"
"""Variable with the path of the file that says what is wrong: a word below, or nothing."""
_SECONDS: Final = {"slow": 5.0, "hangs": 1e6}
_WRITES: Final = {"full": errno.ENOSPC, "read-only": errno.EROFS, "half": errno.EIO}
REGISTERED: Final = f"""
import sys
sys.path.append({str(CHECKOUT)!r})
from fsspec.registry import known_implementations
known_implementations[{PROTOCOL!r}] = {{"class": "{__name__}.FaultyStore"}}
"""
"""What a process runs first that is to know it."""


def calls(fault: Path) -> list[str]:
    """Return the thread of each call so far."""
    noted = fault.with_suffix(".calls")
    return noted.read_text().split() if noted.exists() else []


class FaultyStore(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A folder, with faults."""

    protocol = PROTOCOL

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix(f"{PROTOCOL}://")

    def cat_file(self, path: str, **_: Any) -> bytes:  # noqa: ANN401  # of fsspec
        """Read a file."""
        _fault()
        return Path(path).read_bytes()

    def exists(self, path: str, **_: Any) -> bool:  # noqa: ANN401
        """Whether there is a file."""
        _fault()
        return Path(path).exists()

    def ls(self, path: str, **_: Any) -> list[str]:  # type: ignore[override]  # noqa: ANN401
        """List a folder; a stale listing lacks the files."""
        stale = _fault() == "stale"
        found = [os.path.join(path, name) for name in os.listdir(path)]
        return [one for one in found if not (stale and os.path.isfile(one))]

    def pipe_file(self, path: str, value: bytes, **_: Any) -> None:  # noqa: ANN401
        """Write a file."""
        number = _WRITES.get(fault := _fault(), 0)
        if fault in ("", "half", "slow", "stale"):
            Path(path).write_bytes(value[: len(value) // 2] if number else value)
        if number:
            raise OSError(number, os.strerror(number))


def _fault() -> str:
    """Note a call; return what is wrong, when it has taken its time."""
    place = Path(os.environ[FAULT])
    with place.with_suffix(".calls").open("a") as noted:
        noted.write(f"{threading.current_thread().name}\n")
    fault = place.read_text()
    time.sleep(_SECONDS.get(fault, 0))
    return fault
