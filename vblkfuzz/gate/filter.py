"""A seccomp filter: which system calls ask the gate (seccomp(2), SECCOMP_RET_USER_NOTIF).

The number of bytes tells what a read(2) or write(2) is for, so file descriptors need not be known.
Everything else passes in the kernel. The filter needs no privilege, since the process gives up the
gain of privileges by execve(2) (PR_SET_NO_NEW_PRIVS).
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from enum import Flag, auto
from struct import Struct
from typing import Final

_Instruction = tuple[int, int, int, int]
_Condition = Callable[[int], list[_Instruction]]
"""Instructions that go on if a condition holds; else they jump over so many that follow."""

READ, WRITE, FUTEX = 0, 1, 202
"""Numbers of system calls on x86-64."""
EVENTFD_BYTES: Final = 8
"""Bytes of a read or write of an eventfd (eventfd(2))."""
NOTIFIER_BYTES: Final = 512
"""Bytes that QEMU asks an eventfd for (event_notifier_test_and_clear)."""

_SECCOMP: Final = 317
"""Number of seccomp(2) on x86-64."""
_SET_MODE_FILTER, _NEW_LISTENER = 1, 1 << 3
_NO_NEW_PRIVS: Final = 38
_ARCH: Final = 0xC000003E
"""AUDIT_ARCH_X86_64."""
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_LOAD, _IF_EQUAL, _IF_GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
"""Codes of classic BPF instructions: load a word, two jumps, return."""
_AND: Final = 0x54
_NUMBER_AT, _ARCH_AT, _SECOND_AT, _COUNT_AT = 0, 4, 16 + 8, 16 + 2 * 8
"""Places in struct seccomp_data: the second argument is the operation of futex(2) and the address
of write(2), the low word of the third one the count of read(2) and write(2)."""
_HIGH: Final = 4
"""From the low word of an argument to its high word."""
_OWN: Final = 0x6FFF
"""Highest upper half of an address in the program itself or its heap; libraries and stacks are
above."""
_FUTEX_KIND: Final = 0x7F
"""Without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME."""
_WAIT, _WAIT_BITSET = 0, 9
_INSTRUCTION: Final = Struct("<HBBI")
_PROGRAM: Final = Struct("<H6xQ")


class Calls(Flag):
    """System calls that ask."""

    LINES = auto()
    """write(2) of a trace line: more than 8 bytes."""
    READS = auto()
    """read(2) of an eventfd: 8 bytes, or 512."""
    WRITES = auto()
    """write(2) to an eventfd: 8 bytes."""
    OWN_WRITES = auto()
    """Those of WRITES whose bytes are in the program's own memory, not on a stack. QEMU writes a
    constant, GLib a variable: the thread of QMP does so for each byte that it reads."""
    WAITS = auto()
    """futex(2) of a thread that is about to wait, for a lock or a condition."""


def program(calls: Calls = Calls.LINES) -> bytes:
    """Return the filter: code, jump if true, jump if false, constant; 8 bytes an instruction."""
    lines = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_IF_EQUAL, 1, 0, _ARCH),
        (_RETURN, 0, 0, _ALLOW),
        *(line for call in calls for line in _BLOCKS[call]),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(_INSTRUCTION.pack(*line) for line in lines)


def _block(number: int, *conditions: _Condition) -> list[_Instruction]:
    """Return instructions that ask if it is this call and all conditions hold; else they go on."""
    lines: list[_Instruction] = [(_RETURN, 0, 0, _NOTIFY)]
    for condition in reversed((_is(_NUMBER_AT, number), *conditions)):
        lines = condition(len(lines)) + lines
    return lines


def _is(at: int, *values: int, mask: int = 0xFFFFFFFF) -> _Condition:
    """Compare a word with some values."""

    def lines(rest: int) -> list[_Instruction]:
        last = len(values) - 1
        tests = [
            (_IF_EQUAL, last - n, 0 if n < last else rest, one) for n, one in enumerate(values)
        ]
        return [(_LOAD, 0, 0, at), (_AND, 0, 0, mask), *tests]

    return lines


def _is_above(at: int, limit: int) -> _Condition:
    return lambda rest: [(_LOAD, 0, 0, at), (_IF_GREATER, 0, rest, limit)]


def _is_not_above(at: int, limit: int) -> _Condition:
    return lambda rest: [(_LOAD, 0, 0, at), (_IF_GREATER, rest, 0, limit)]


_BLOCKS: Final = {
    Calls.LINES: _block(WRITE, _is_above(_COUNT_AT, EVENTFD_BYTES)),
    Calls.READS: _block(READ, _is(_COUNT_AT, EVENTFD_BYTES, NOTIFIER_BYTES)),
    Calls.WRITES: _block(WRITE, _is(_COUNT_AT, EVENTFD_BYTES)),
    Calls.OWN_WRITES: _block(
        WRITE, _is(_COUNT_AT, EVENTFD_BYTES), _is_not_above(_SECOND_AT + _HIGH, _OWN)
    ),
    Calls.WAITS: _block(FUTEX, _is(_SECOND_AT, _WAIT, _WAIT_BITSET, mask=_FUTEX_KIND)),
}


def install(calls: Calls = Calls.LINES) -> int:
    """Install the filter in the calling thread and its children; return the listener's fd.

    Call it between fork and exec. From then on the caller sleeps at its first call that asks, until
    another process answers.

    Raises:
        OSError: this machine has no user notification: another processor than x86-64, a kernel
            before 5.5, a sandbox that forbids it, or a filter that listens already.
    """
    if platform.machine() != "x86_64":
        raise OSError(0, f"no filter for {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    code = program(calls)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = _PROGRAM.pack(len(code) // _INSTRUCTION.size, ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(head, len(head))
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    listener: int = libc.syscall(_SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER, pointer)
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return listener
