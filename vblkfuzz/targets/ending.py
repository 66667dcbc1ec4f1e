"""How a device process ended: it crashed, it hangs, or it was killed from outside."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.backtrace import backtrace
from vblkfuzz.targets.child import FROM_OUTSIDE, signal_of
from vblkfuzz.targets.real import Ending
from vblkfuzz.trace.kinds import CRASH, HANG

if TYPE_CHECKING:
    from vblkfuzz.targets.child import Child

_END_PATIENCE_S: Final = 1.0
"""Seconds that a process gets to end by itself after its connections have ended."""


def ending_of(
    child: Child, *, guest_waits: bool, dies: bool = True, explain: bool = True
) -> Ending | None:
    """Return how a process ended, or that it hangs; None if it was killed, which is no finding.

    Args:
        child: a process that does not answer.
        guest_waits: the guest got no answer; False: the operator got none.
        dies: the process may be ending, so wait up to a second for that.
        explain: add the backtrace of a hang, which takes seconds.
    """
    code = child.exit_code(_END_PATIENCE_S if dies else 0.0)
    words = child.words()
    if code is None:
        stacks = backtrace(child.pid) if explain else ""
        return Ending(HANG, f"{words}\n\n{stacks}", flag=int(guest_waits))
    number = signal_of(code)
    if number in FROM_OUTSIDE:
        return None
    how = f"signal {number}" if number else f"exit status {code}"
    return Ending(
        CRASH,
        f"{how}\n{words}",
        flag=number,
        value=0 if number else code,
        path=_digest(words),
    )


def _digest(words: str) -> int:
    """Return a number for an assertion message; numbers and addresses in it do not count."""
    line = re.sub(r"0x[0-9a-f]+|\d+", "", last_line(words))
    return int.from_bytes(blake2b(line.encode(), digest_size=8).digest()) | 1 << 63


def last_line(words: str) -> str:
    """Return the last line of a process's standard error, for a message of one line."""
    return words.rpartition("\n")[2].strip() or "no message on standard error"
