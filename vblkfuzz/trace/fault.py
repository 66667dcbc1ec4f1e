"""A fault: where in its code a device crashed or hangs.

For a user's device that is a line of Python; for a device process, what a failed assertion or the
registers say of the place (`targets.ending`). A name is made of what was raised, the function, and
the text of the line or of the assertion: it survives edits of other functions and a move of the
file, and two assertions of one function are two bugs. The number of the line is for people only.
"""

from __future__ import annotations

import json
import signal
from hashlib import blake2b
from typing import Final, NamedTuple

from vblkfuzz.trace.event import Event, path_text
from vblkfuzz.trace.kinds import CRASH, HANG

_DIGEST: Final = 1 << 63
"""Bit of a path that is the digest of a fault."""
REFUSES: Final = "load"
"""`what` of a process that cannot load the state that it has saved."""
CLOSES: Final = "closed"
"""`what` of a process that closes a new connection instead of an answer."""
VIOLATES: Final = "protocol"
"""`what` of a process whose answer the protocol of its connection does not allow."""


class Fault(NamedTuple):
    """What a device did wrong, and where in its own code. All text is printable."""

    kind: int
    """CRASH or HANG."""
    what: str
    """Type of the exception, ``exit``, REFUSES, CLOSES, VIOLATES or the name of a signal. For a
    hang of a device process who got no answer, ``operator`` or ``guest``; empty for a hang of a
    user's device."""
    message: str
    """Of the exception or the assertion; empty if there is none. For a hang of a device process
    where its threads wait, in words."""
    function: str
    """Qualified name of the innermost function of the device's own; empty if it is not known. For a
    hang of a device process the one that its main thread waits in, or waits for."""
    file: str
    """Name of its file, without a folder; empty if it is not known."""
    line: int
    """Where it failed; the first line of the function for a hang; 0 if it is not known."""
    text: str = ""
    """That line, without its indent, or the asserted expression; empty where there is no source.
    For a hang the function in which another thread waits; empty if there is none."""
    twin: int = 0
    """How many equal lines the function has before it; without a source, lines from its begin."""
    signal: int = 0
    """Signal that ended the process; 0: none."""
    status: int = 0
    """Exit status of the process, or what it would be."""

    @property
    def digest(self) -> int:
        """A number for the place, in an event's path: its highest bit makes it no path."""
        parts = (str(self.kind), self.what, self.function, self.text, str(self.twin))
        found = blake2b("\0".join(parts).encode(), digest_size=8).digest()
        return int.from_bytes(found) | _DIGEST

    @property
    def name(self) -> str:
        """What tells this bug from others, for a signature."""
        place = self.text if self.kind == HANG else ""
        if self.kind == CRASH and (self.function or self.text):
            place = f"{self.digest & 0xFFFF_FFFF:08x}"
        return "-".join(part for part in (self.what, self.function, place) if part)

    @property
    def where(self) -> str:
        """The place in words; empty if nothing is known of it."""
        source = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{self.function} ({source})" if self.function and source else self.function + source

    def to_line(self) -> bytes:
        """Return it as one line of ASCII."""
        return json.dumps(self).encode() + b"\n"

    @staticmethod
    def from_line(line: bytes) -> Fault:
        """Read what `to_line` wrote."""
        return Fault(*json.loads(line))


def path_of(event: Event) -> str:
    """Return the causal path of an event as text; empty where it is only the digest of a fault."""
    is_digest = event.kind in (CRASH, HANG) and event.path & _DIGEST
    return "" if is_digest else path_text(event.path)


def signal_name(number: int) -> str:
    """Return the name of a signal; a number that has none is shown as it is."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
