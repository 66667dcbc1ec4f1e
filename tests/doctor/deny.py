"""A seccomp filter that makes system calls fail, as a container or an older kernel does.

It holds for the process that installs it and for all that it forks, for ever.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Callable
from functools import partial
from typing import Final

CALLS: Final = {
    "pread64": 17,
    "clone": 56,
    "ptrace": 101,
    "sched_setaffinity": 203,
    "seccomp": 317,
    "memfd_create": 319,
    "pidfd_open": 434,
}
"""Numbers of system calls on x86-64."""
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_ERRNO, _ALLOW = 0x00050000, 0x7FFF0000


def denied(call: str, number: int = errno.EPERM) -> Callable[[], None]:
    """Return what makes a system call fail with an error number."""
    return partial(_deny, CALLS[call], number)


def _deny(call: int, number: int) -> None:
    steps = (
        (0x20, 0, 0, 0),  # load the number of the call
        (0x15, 0, 1, call),
        (0x06, 0, 0, _ERRNO | number),
        (0x06, 0, 0, _ALLOW),
    )
    code = b"".join(struct.pack("<HBBI", *one) for one in steps)
    program = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("<HxxxxxxQ", len(steps), ctypes.addressof(program))
    libc = ctypes.CDLL(None)
    assert libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(_SET_SECCOMP, _FILTER, head, 0, 0) == 0
