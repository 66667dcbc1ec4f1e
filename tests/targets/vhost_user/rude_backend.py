"""A back-end that goes wrong in the handshake; run as a program: SOCKET MANNER.

Manners: `once` answers on the first connection only and closes the others at once; all others go
wrong at GET_FEATURES.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import Final

HEADER: Final = struct.Struct("<III")
REPLY: Final = 5
"""Flags of an answer: version 1, and that it is one."""
FEATURES: Final = struct.pack("<Q", 1 << 32)
ANSWERS: Final = {
    "once": HEADER.pack(1, REPLY, 8) + FEATURES,
    "short": HEADER.pack(1, REPLY, 4) + bytes(4),
    "other_version": HEADER.pack(1, 6, 8) + FEATURES,
    "legacy": HEADER.pack(1, REPLY, 8) + bytes(8),
    "closes": b"",
}


def main(path: str, manner: str) -> None:
    """Answer GET_FEATURES on each connection."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    served = 0
    while True:
        line, _ = listener.accept()
        with line:
            if served and manner == "once":
                continue
            served += bool(line.recv(HEADER.size))
            if manner == "silent":
                line.recv(1)
                continue
            line.sendall(ANSWERS[manner])
            while ANSWERS[manner] and line.recv(4096):
                pass


if __name__ == "__main__":
    main(*sys.argv[1:])
