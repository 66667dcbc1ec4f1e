"""Whether system calls of a child can be held and answered (seccomp(2), user notification)."""

from __future__ import annotations

from vblkfuzz.doctor.check import Found, no, yes
from vblkfuzz.gate.available import trial


def user_notification() -> Found:
    """Answer a system call of a child, and let another one go on."""
    if reason := trial():
        return no(reason)
    return yes("seccomp: a call is held, answered, continued")
