"""How a device process has ended: a crash, a hang, or somebody killed it."""

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
"""Seconds for a process whose connections have ended to end itself."""


def ending_of(
    child: Child, *, guest_waits: bool, dies: bool = True, explain: bool = True
) -> Ending | None:
    """Say how a process ended, or that it hangs; None if somebody killed it, which is no finding.

    Args:
        child: a process that does not answer.
        guest_waits: it was the guest that got no answer, not the operator.
        dies: it may be about to end, and gets the time for that.
        explain: look for the backtrace of a hang, which takes seconds.
    """
    code = child.exit_code(_END_PATIENCE_S if dies else 0.0)
    words = child.words()
    if code is None:
        stacks = backtrace(child.pid) if explain else ""
        return Ending(HANG, f"{words}\n\n{stacks}", flag=int(guest_waits))
    number = signal_of(code)
    if number in FROM_OUTSIDE:
        return None
    said = f"signal {number}" if number else f"exit status {code}"
    return Ending(
        CRASH,
        f"{said}\n{words}",
        flag=number,
        value=0 if number else code,
        path=_digest(words),
    )


def _digest(words: str) -> int:
    """A number for an assertion: the same for the same place, whatever addresses it names."""
    line = re.sub(r"0x[0-9a-f]+|\d+", "", last_line(words))
    return int.from_bytes(blake2b(line.encode(), digest_size=8).digest()) | 1 << 63


def last_line(words: str) -> str:
    """Return the end of what a process said, for one line of text."""
    return words.rpartition("\n")[2].strip() or "it says nothing"
