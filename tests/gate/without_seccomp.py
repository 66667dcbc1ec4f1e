"""Runs a command whose calls of seccomp(2) fail: ``python without_seccomp.py ERRNO COMMAND...``.

As in a sandbox, or below a kernel, without user notification.
"""

from __future__ import annotations

import ctypes
import os
import sys
from struct import pack

SECCOMP, ALLOW, ERRNO = 317, 0x7FFF0000, 0x00050000


def forbid(number: int) -> None:
    """Let seccomp(2) fail with an errno from now on."""
    lines = ((0x20, 0, 0, 0), (0x15, 0, 1, SECCOMP), (6, 0, 0, ERRNO | number), (6, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b"".join(pack("<HBBI", *line) for line in lines))
    program = ctypes.create_string_buffer(pack("<H6xQ", len(lines), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.syscall(SECCOMP, 1, 0, program) == 0


if __name__ == "__main__":
    forbid(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
