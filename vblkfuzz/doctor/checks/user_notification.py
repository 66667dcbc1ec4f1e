"""Whether a system call of a child can be held and answered (seccomp(2), user notification).

The child installs a filter for one harmless call, getppid(2), and calls it twice. The first call
gets an answer that is made up, the second one goes on to the kernel.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import select
import socket
import struct
from typing import BinaryIO, Final

from vblkfuzz.doctor.check import Found, limited, no, yes
from vblkfuzz.doctor.child import child

_ARCHITECTURE: Final = 0xC000003E
"""AUDIT_ARCH_X86_64."""
_SECCOMP, _GETPPID = 317, 110
"""Numbers of system calls on x86-64."""
_NO_NEW_PRIVS: Final = 38
"""PR_SET_NO_NEW_PRIVS of prctl(2): with it a filter needs no privilege."""
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_FILTER: Final = (
    (_LOAD, 0, 0, 4),  # the architecture
    (_JUMP_IF_EQUAL, 0, 3, _ARCHITECTURE),
    (_LOAD, 0, 0, 0),  # the number of the call
    (_JUMP_IF_EQUAL, 0, 1, _GETPPID),
    (_RETURN, 0, 0, _NOTIFY),
    (_RETURN, 0, 0, _ALLOW),
)
"""Program of BPF: code, jump if true, jump if false, value."""
_RECEIVE, _SEND, _CONTINUE = 0xC0502100, 0xC0182101, 1
"""Requests of ioctl(2) on the listener, and the flag of an answer that lets the call go on."""
_NOTIFICATION_BYTES: Final = 80
_MADE_UP: Final = 424242
_WAIT_S: Final = 10.0


def user_notification() -> Found:
    """Answer a system call of a child, and let another one go on."""
    if platform.machine() != "x86_64":
        return no(f"not known on {platform.machine()}")
    with child(_call) as caller:
        caller.line.settimeout(_WAIT_S)
        said, fds, _, _ = socket.recv_fds(caller.line, 64, 1)
        if not fds:
            return no(said.decode())
        with open(fds[0], "rb") as listener:
            try:
                _answer(listener, struct.pack("<qiI", _MADE_UP, 0, 0))
            except OSError as error:
                return no(f"a call cannot be answered: {error.strerror}")
            try:
                _answer(listener, struct.pack("<qiI", 0, 0, _CONTINUE))
            except OSError as error:
                return limited(f"a call that was held cannot go on: {error.strerror}")
            seen = caller.line.recv(64)
    if seen != b"%d %d" % (_MADE_UP, os.getpid()):
        return no(f"two calls returned {seen.decode()}")
    return yes("seccomp: a call is held, answered, continued")


def _call(line: socket.socket) -> None:
    """Install the filter, give the listener to the parent, and say what two calls return."""
    try:
        listener = _install()
    except OSError as error:
        line.send(f"seccomp: {error.strerror}".encode())
        return
    socket.send_fds(line, [b"listener"], [listener])
    os.close(listener)
    line.send(f"{os.getppid()} {os.getppid()}".encode())


def _install() -> int:
    """Install the filter, and return its listener.

    Raises:
        OSError: the kernel refuses it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(struct.pack("<HBBI", *one) for one in _FILTER)
    program = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("<HxxxxxxQ", len(_FILTER), ctypes.addressof(program))
    place = ctypes.create_string_buffer(head, len(head))
    listener = -1
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        listener = libc.syscall(_SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER, place)
    if listener < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(listener)


def _answer(listener: BinaryIO, answer: bytes) -> None:
    """Wait for a call and answer it.

    Raises:
        OSError: there is none, or the kernel refuses the answer.
    """
    if not select.select([listener], [], [], _WAIT_S)[0]:
        raise TimeoutError(0, "it is not held")
    notification = bytearray(_NOTIFICATION_BYTES)
    fcntl.ioctl(listener, _RECEIVE, notification)
    fcntl.ioctl(listener, _SEND, bytes(notification[:8]) + answer)
