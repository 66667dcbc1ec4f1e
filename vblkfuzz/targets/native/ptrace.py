"""Calls of ptrace(2), and the registers of a stopped thread (x86-64, user_regs_struct)."""

from __future__ import annotations

import ctypes
import os
import struct
from functools import cache
from typing import Final, NamedTuple

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
CONT, LISTEN, SINGLE_STEP = 7, 0x4208, 9
"""Requests of ptrace(2)."""
TRACE_FORK, TRACE_VFORK, TRACE_CLONE, TRACE_EXEC = (1 << event for event in (1, 2, 3, 4))
EXIT_KILL: Final = 1 << 20
"""Options of ptrace(2). The last one: the process is killed if its tracer ends."""
EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_STOP = 1, 2, 3, 4, 128
"""Events of ptrace(2), as in a wait status >> 16."""
ALL: Final = 0x40000000
"""__WALL: wait for threads, too."""
_GETREGS: Final = 12
_POKE_USER, _EVENT_MESSAGE, _SIGNAL_INFO = 6, 0x4201, 0x4202
_REGS: Final = struct.Struct("<27Q")
_DWARF: Final = (10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0)
"""Places of the registers 0 to 15 of DWARF in user_regs_struct (System V ABI, figure 3.36)."""
_RDX, _RSI, _RDI, _CALL, _RIP, _RSP = 12, 13, 14, 15, 16, 19
_NONE: Final = (1 << 64) - 1
_INFO: Final = struct.Struct("<iii116x")
"""siginfo_t: number, errno, code."""
_BY_BREAKPOINT: Final = (0x80, 1)
"""SI_KERNEL and TRAP_BRKPT: the code of a SIGTRAP by int3. One that is sent has another."""


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


def pc_of(thread: int) -> int:
    """Return the address of the next instruction of a stopped thread.

    Raises:
        OSError: as `registers_of`.
    """
    raw = ctypes.create_string_buffer(_REGS.size)
    ptrace(_GETREGS, thread, ctypes.addressof(raw))
    (pc,) = struct.unpack_from("<Q", raw, 8 * _RIP)
    return int(pc)


def set_pc(thread: int, address: int) -> None:
    """Let a stopped thread go on at another instruction.

    Raises:
        OSError: as `registers_of`.
    """
    ptrace(_POKE_USER, thread, address, 8 * _RIP)


def is_breakpoint(thread: int) -> bool:
    """Whether the SIGTRAP for which a thread stopped comes from a breakpoint instruction.

    Raises:
        OSError: as `registers_of`.
    """
    raw = ctypes.create_string_buffer(_INFO.size)
    ptrace(_SIGNAL_INFO, thread, ctypes.addressof(raw))
    return _INFO.unpack(raw.raw)[2] in _BY_BREAKPOINT


def event_message(thread: int) -> int:
    """Return the process or thread that a stopped thread has started.

    Raises:
        OSError: as `registers_of`.
    """
    found = ctypes.c_ulong()
    ptrace(_EVENT_MESSAGE, thread, ctypes.addressof(found))
    return found.value


def ptrace(request: int, thread: int, data: int, address: int = 0) -> None:
    """Make a request to the kernel.

    Raises:
        OSError: the kernel refuses it.
    """
    libc = _libc()
    if libc.ptrace(request, thread, address, data) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    libc.ptrace.restype = ctypes.c_long
    return libc
