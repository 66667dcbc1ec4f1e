"""When a write is stable as soon as it ends: without F_FLUSH, or in the cache mode writethrough.

A driver that has declined F_FLUSH cannot ask for a flush. One with F_CONFIG_WCE chooses the mode in
the field `writeback`; it knows that the mode is writethrough from when it has read that back. Both
`oracle.rules.data` (what a loss of power may undo) and `oracle.rules.cache_mode` use this. Source:
virtio 1.2, 5.2.4, 5.2.5.2, 5.2.6.2.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from vblkfuzz.scenario.alphabet.guest import CACHE_MODES
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import FEATURES
from vblkfuzz.virtio.request.blk import F_FLUSH

_THROUGH: Final = CACHE_MODES.index("writethrough")


class Stable(IntEnum):
    """Why a write survives a loss of power without a flush."""

    NO = 0
    """It may be lost."""
    DECLINED = 1
    """F_FLUSH was offered and not accepted."""
    WRITETHROUGH = 2
    """The cache mode was writethrough from before it was made available to its end."""


class Writethrough:
    """The cache mode, as far as the driver knows it.

    A reset or a set-up may choose any mode, so after it the mode is unknown until it is set again.
    The driver does not notice a reset of the whole system; it has no access to the device then.
    """

    __slots__ = ("set_up", "since")

    def __init__(self) -> None:
        self.set_up = False
        """Whether the driver has set the device up, and no reset came since."""
        self.since: Event | None = None
        """Since when the mode is writethrough; None: it may be another one."""

    def forget(self, event: Event) -> None:
        """Note a reset, a set-up (FEATURES), or that the guest has broken the protocol."""
        self.since = None
        self.set_up = event.kind == FEATURES

    def write(self, written: Event) -> None:
        """Note a WRITEBACK: the new mode may be in force from here on."""
        if written.flag != _THROUGH:
            self.since = None

    def read(self, found: Event) -> None:
        """Note a WRITEBACK_READ: the mode that it shows is in force."""
        if found.value != _THROUGH:
            self.since = None
        elif self.set_up and self.since is None and found.flag == _THROUGH:
            self.since = found


class Stability:
    """When a write is stable at its end."""

    __slots__ = ("_declined", "mode")

    def __init__(self) -> None:
        self._declined = False
        self.mode = Writethrough()

    def features(self, event: Event) -> None:
        """Note what the device has offered and the driver accepted."""
        declined = event.head & ~event.value
        self._declined = bool(declined >> F_FLUSH & 1)
        self.mode.forget(event)

    def of(self, since: Event | None) -> Stable:
        """Return the stability of a write that ends now.

        Args:
            since: `mode.since`, when the write was made available.
        """
        if self._declined:
            return Stable.DECLINED
        through = since is not None and since is self.mode.since
        return Stable.WRITETHROUGH if through else Stable.NO
