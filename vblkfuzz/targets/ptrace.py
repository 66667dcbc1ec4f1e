"""Calls of ptrace(2), and the registers of a stopped thread (x86-64, user_regs_struct)."""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Final, NamedTuple

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
"""Requests of ptrace(2)."""
ALL: Final = 0x40000000
"""__WALL: wait for threads, too."""
_GETREGS: Final = 12
_REGS: Final = struct.Struct("<27Q")
_DWARF: Final = (10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0)
"""Places of the registers 0 to 15 of DWARF in user_regs_struct (System V ABI, figure 3.36)."""
_RDX, _RSI, _RDI, _CALL, _RIP, _RSP = 12, 13, 14, 15, 16, 19
_NONE: Final = (1 << 64) - 1


class Registers(NamedTuple):
    """Registers of a stopped thread."""

    pc: int
    sp: int
    numbered: dict[int, int]
    """By the number that DWARF gives them, 0 to 15."""
    call: int
    """Number of the system call in which the thread was stopped; -1: in none."""
    arguments: tuple[int, int, int]
    """Its first three arguments."""


def registers_of(thread: int) -> Registers:
    """Return the registers of a thread that the caller traces and that is stopped.

    Raises:
        OSError: it is not.
    """
    raw = ctypes.create_string_buffer(_REGS.size)
    ptrace(_GETREGS, thread, ctypes.addressof(raw))
    values = _REGS.unpack(raw.raw)
    return Registers(
        values[_RIP],
        values[_RSP],
        {number: values[place] for number, place in enumerate(_DWARF)},
        -1 if values[_CALL] == _NONE else values[_CALL],
        (values[_RDI], values[_RSI], values[_RDX]),
    )


def ptrace(request: int, thread: int, data: int) -> None:
    """Make a request to the kernel.

    Raises:
        OSError: the kernel refuses it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, thread, None, data) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
