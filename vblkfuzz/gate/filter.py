"""A seccomp filter that asks the gate about each trace line (seccomp(2), SECCOMP_RET_USER_NOTIF).

A line is a write(2) of more than 8 bytes; eventfds are written 8 bytes at a time. File descriptors
need not be known. Everything else passes in the kernel. The filter needs no privilege, since the
process gives up the gain of privileges by execve(2) (PR_SET_NO_NEW_PRIVS).
"""

from __future__ import annotations

import ctypes
import os
import platform
from struct import Struct
from typing import Final

WRITE: Final = 1
"""Number of write(2) on x86-64."""
EVENTFD_BYTES: Final = 8
"""Bytes of a write to an eventfd (eventfd(2))."""

_SECCOMP: Final = 317
"""Number of seccomp(2) on x86-64."""
_SET_MODE_FILTER, _NEW_LISTENER = 1, 1 << 3
_NO_NEW_PRIVS: Final = 38
_ARCH: Final = 0xC000003E
"""AUDIT_ARCH_X86_64."""
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_LOAD, _IF_EQUAL, _IF_GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
"""Codes of classic BPF instructions: load a word, two jumps, return."""
_NUMBER_AT, _ARCH_AT, _COUNT_AT = 0, 4, 16 + 2 * 8
"""Places in struct seccomp_data; the count is the low word of the third argument."""
_INSTRUCTION: Final = Struct("<HBBI")
_PROGRAM: Final = Struct("<H6xQ")


def program() -> bytes:
    """Return the filter, eight bytes an instruction: code, jump if true, jump if false, constant.

    The constant of the last comparison is the largest count that passes.
    """
    lines = (
        (_LOAD, 0, 0, _ARCH_AT),
        (_IF_EQUAL, 0, 4, _ARCH),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_EQUAL, 0, 2, WRITE),
        (_LOAD, 0, 0, _COUNT_AT),
        (_IF_GREATER, 1, 0, EVENTFD_BYTES),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _NOTIFY),
    )
    return b"".join(_INSTRUCTION.pack(*line) for line in lines)


def install() -> int:
    """Install the filter in the calling thread and its children; return the listener's fd.

    Call it between fork and exec. From then on the caller sleeps at its first long write(2), until
    another process answers.

    Raises:
        OSError: this machine has no user notification: another processor than x86-64, a kernel
            before 5.5, a sandbox that forbids it, or a filter that listens already.
    """
    if platform.machine() != "x86_64":
        raise OSError(0, f"no filter for {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    code = program()
    buffer = ctypes.create_string_buffer(code, len(code))
    head = _PROGRAM.pack(len(code) // _INSTRUCTION.size, ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(head, len(head))
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    listener: int = libc.syscall(_SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER, pointer)
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return listener
