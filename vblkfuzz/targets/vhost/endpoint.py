"""A listening unix socket that has no name, so that nothing is left behind and nothing clashes.

A socket can only be bound to a name. It gets one in a private folder (mode 0700) and loses it at
once; what stays is an fd of the socket file (O_PATH), and connections are made through that. So
the limit of 108 bytes for a socket's path does not matter either.
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


class Endpoint:
    """Where a back-end listens; `listener` is inherited by it."""

    def __init__(self) -> None:
        self.listener: Final = socket.socket(socket.AF_UNIX)
        folder = tempfile.mkdtemp(prefix="vblkfuzz-")
        place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.listener.bind(f"/proc/self/fd/{place}/{_NAME}")
            self.listener.listen(_BACKLOG)
            self._file = os.open(_NAME, os.O_PATH | os.O_CLOEXEC, dir_fd=place)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(_NAME, dir_fd=place)
            os.close(place)
            Path(folder).rmdir()

    def connect(self) -> socket.socket:
        """Return a new connection.

        Raises:
            BackendGone: nobody listens.
        """
        return connect_to(self._file)

    def hand_over(self) -> None:
        """Close our copy of the listener: the back-end has its own, and dies with it."""
        self.listener.close()

    def close(self) -> None:
        """Forget it."""
        self.listener.close()
        os.close(self._file)


def connect_to(file: int) -> socket.socket:
    """Return a new connection to the socket whose file `file` is (an fd, O_PATH).

    Raises:
        BackendGone: nobody listens.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"/proc/self/fd/{file}")
    except OSError as error:
        connection.close()
        raise BackendGone(f"nobody listens: {error.strerror}") from None
    return connection
