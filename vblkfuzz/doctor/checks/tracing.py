"""Whether a process may look into its own child: registers (ptrace(2)) and memory (proc(5))."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from vblkfuzz.doctor.check import Found, no, yes
from vblkfuzz.doctor.child import child, sleep
from vblkfuzz.targets.native.ptrace import ALL, DETACH, INTERRUPT, SEIZE, ptrace, registers_of

_SCOPE: Final = Path("/proc/sys/kernel/yama/ptrace_scope")
_MARK: Final = b"vblkfuzz doctor"


def ptracing() -> Found:
    """Stop an own child, read its registers, and let it go on."""
    with child(sleep) as sleeper:
        try:
            ptrace(SEIZE, sleeper.pid, 0)
            ptrace(INTERRUPT, sleeper.pid, 0)
            os.waitpid(sleeper.pid, ALL)
            registers_of(sleeper.pid)
            ptrace(DETACH, sleeper.pid, 0)
        except OSError as error:
            return no(f"{error.strerror}, {_scope()}")
    return yes(f"of own children, {_scope()}")


def child_memory() -> Found:
    """Read memory of an own child."""
    mark = ctypes.create_string_buffer(_MARK)
    with child(sleep) as sleeper:
        try:
            fd = os.open(f"/proc/{sleeper.pid}/mem", os.O_RDONLY)
            found = os.pread(fd, len(_MARK), ctypes.addressof(mark))
            os.close(fd)
        except OSError as error:
            return no(f"{error.strerror}, {_scope()}")
    return yes(f"of own children, {_scope()}") if found == _MARK else no("other bytes are read")


def _scope() -> str:
    """Return the setting of the Yama module; 0 and 1 allow what is needed."""
    with suppress(OSError):
        return f"ptrace_scope {_SCOPE.read_text().strip()}"
    return "no Yama"
