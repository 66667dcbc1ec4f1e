"""A listening unix socket without a name: no file is left behind and no two names clash.

A socket must be bound to a name. It gets one in a private folder (mode 0700), which is removed at
once. An fd of the socket file (O_PATH) stays open, and connections are made through it, so the
limit of 108 bytes for a socket's path does not apply.
"""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from vblkfuzz.targets.vhost.fault import BackendGone

_NAME: Final = "s"
_BACKLOG: Final = 8


class SocketFile:
    """Where a back-end listens, whatever becomes of the name of the socket."""

    def __init__(self, file: int) -> None:
        """Take an fd of its file (O_PATH)."""
        self._file = file

    def connect(self) -> socket.socket:
        """Return a new connection.

        Raises:
            BackendGone: no process listens.
        """
        return connect_to(self._file)

    def close(self) -> None:
        """Close the fd."""
        os.close(self._file)


class Endpoint(SocketFile):
    """Where a back-end listens that inherits `listener`."""

    def __init__(self) -> None:
        self.listener: Final = socket.socket(socket.AF_UNIX)
        folder = tempfile.mkdtemp(prefix="vblkfuzz-")
        try:
            super().__init__(self._listen_in(folder))
        except BaseException:
            self.listener.close()
            raise
        finally:
            Path(folder).rmdir()

    def _listen_in(self, folder: str) -> int:
        """Return an fd of the socket file, which has no name any more."""
        place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.listener.bind(f"/proc/self/fd/{place}/{_NAME}")
            self.listener.listen(_BACKLOG)
            return os.open(_NAME, os.O_PATH | os.O_CLOEXEC, dir_fd=place)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(_NAME, dir_fd=place)
            os.close(place)

    def hand_over(self) -> None:
        """Close the listener here, so that it ends with the back-end, which has inherited it."""
        self.listener.close()

    def close(self) -> None:
        """Close the fds."""
        self.listener.close()
        super().close()


def connect_to(file: int) -> socket.socket:
    """Return a new connection to a socket; `file` is an fd of its file (O_PATH).

    Raises:
        BackendGone: no process listens.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"/proc/self/fd/{file}")
    except OSError as error:
        connection.close()
        raise BackendGone(f"no process listens: {error.strerror}") from None
    return connection
