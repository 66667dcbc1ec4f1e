"""A file system of fsspec, ``faulty://FOLDER``, that fails as a test says at the moment."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any, Final

from fsspec.implementations.local import LocalFileSystem

from tests.faults.store_fault import FAULT, PROTOCOL, noted

_SECONDS: Final = {"slow": 5.0, "hangs": 1e6}
_WRITES: Final = {"full": errno.ENOSPC, "read-only": errno.EROFS, "half": errno.EIO}


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

    def ls(self, path: str, **_: Any) -> list[str]:  # noqa: ANN401
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
    with noted(place).open("a") as file:
        file.write(f"{threading.current_thread().name}\n")
    fault = place.read_text()
    time.sleep(_SECONDS.get(fault, 0))
    return fault
