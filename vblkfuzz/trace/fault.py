"""A fault: where in the code of a user's device it crashed or hangs.

The model says so where a real device only leaves its last words. A name is made of what was raised,
the function, and the text of the line: it survives edits of other functions and a move of the file,
and two assertions of one function are two bugs. The number of the line is for people only.
"""

from __future__ import annotations

import json
import signal
from hashlib import blake2b
from typing import NamedTuple

from vblkfuzz.trace.kinds import CRASH


class Fault(NamedTuple):
    """What a device did wrong, and in which line of its own code. All text is printable."""

    kind: int
    """CRASH or HANG."""
    what: str
    """Type of the exception, ``exit`` or the name of a signal; empty for a hang."""
    message: str
    """Of the exception."""
    function: str
    """Qualified name of the innermost function of the device's own."""
    file: str
    """Name of its file, without a folder."""
    line: int
    """Where it failed; the first line of the function for a hang."""
    text: str = ""
    """That line, without its indent; empty where there is no source, and for a hang."""
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
        return int.from_bytes(found) | 1 << 63

    @property
    def name(self) -> str:
        """What tells this bug from others, for a signature."""
        place = f"{self.digest & 0xFFFF_FFFF:08x}" if self.kind == CRASH else ""
        return "-".join(part for part in (self.what, self.function, place) if part)

    @property
    def where(self) -> str:
        """The place in words."""
        return f"{self.function} ({self.file}, line {self.line})"

    def to_line(self) -> bytes:
        """Return it as one line of ASCII."""
        return json.dumps(self).encode() + b"\n"

    @staticmethod
    def from_line(line: bytes) -> Fault:
        """Read what `to_line` wrote."""
        return Fault(*json.loads(line))


def signal_name(number: int) -> str:
    """Return the name of a signal; a number that has none is shown as it is."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
