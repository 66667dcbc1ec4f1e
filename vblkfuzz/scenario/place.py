"""A place in a program at which a deviation interrupts a thread of a real device.

The number of a point holds for one build only: another version passes other points. The place
beside it is found again in other builds. Next: `vblkfuzz.scenario.scenario`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MAX_TEXT: Final = 255
"""Most bytes of a place as text: its length is one byte in `scenario.codec`."""
MAX_NTH: Final = 0xFFFF
"""Most stops at one place that are told apart; an operation passes a few hundred in all."""

_FORM: Final = re.compile(
    r"([A-Za-z0-9_]+)(?: ([!-~]+:[0-9]+))?(?: after ([A-Za-z0-9_]+))?(?: nth ([0-9]{1,5}))?"
)

_EXPECTED: Final = "expected EVENT [FILE:LINE] [after EVENT] [nth NUMBER]"


class Place(NamedTuple):
    """Where in a program a deviation interrupts: replays on another build, whose counts differ."""

    event: str
    """Trace event of the device, for example ``qemu_mutex_lock``."""
    site: str = ""
    """File and line of events that have them (``util/async.c:717``), else empty."""
    after: str = ""
    """The event of the same thread before it in this operation that is not a lock; empty: none."""
    nth: int = 1
    """It is the nth stop, from 1, of that thread in that operation with the same event, file of the
    site and `after`."""

    @property
    def at(self) -> str:
        """Event and site, as the text form has them."""
        return f"{self.event} {self.site}" if self.site else self.event


def place_text(place: Place) -> str:
    """Return a place as one line.

    >>> place_text(Place("qemu_mutex_lock", "util/async.c:717", "aio_co_schedule", 2))
    'qemu_mutex_lock util/async.c:717 after aio_co_schedule nth 2'
    """
    after = f" after {place.after}" if place.after else ""
    nth = f" nth {place.nth}" if place.nth != 1 else ""
    return f"{place.at}{after}{nth}"


def place_of(text: str) -> Place:
    """Return the place in the output of `place_text`.

    Raises:
        ValueError: it is no such text, or too long.
    """
    found = _FORM.fullmatch(text) if len(text) <= MAX_TEXT else None
    nth = int(found[4] or 1) if found else 0
    if not found or not 1 <= nth <= MAX_NTH:
        raise ValueError(_EXPECTED)
    return Place(found[1], found[2] or "", found[3] or "", nth)


def check_place(place: Place) -> None:
    """Check that a place can be stored.

    Raises:
        ValueError: it has no event, a name has other characters than a trace event or a file of
            C code has, or it is too long.
    """
    if place_of(place_text(place)) != place:
        raise ValueError(_EXPECTED)
