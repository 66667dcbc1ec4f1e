"""What the guest found changed in its memory that the device must not write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.compare.key import Key
from vblkfuzz.trace.kinds import HOSTILE, MEMORY_CHANGED, USED_FLAGS
from vblkfuzz.trace.place import Place

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event


class Memory:
    """The places that changed, in an execution whose driver kept the protocol."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        self._flags = False
        self._hostile = False

    def note(self, event: Event) -> None:
        """Take the next event."""
        if event.kind == MEMORY_CHANGED:
            self._changed.add(event.flag)
        elif event.kind == USED_FLAGS:
            self._flags = True
        elif event.kind == HOSTILE:
            self._hostile = True

    def sights(self) -> dict[Key, str]:
        """Return whether each place has changed; nothing if the driver broke the protocol."""
        if self._hostile:
            return {}
        found = {f"writes memory: {place.words}": place in self._changed for place in Place}
        found["sets unknown flags in the used ring"] = self._flags
        return {Key("memory", 0, what): "yes" if yes else "no" for what, yes in found.items()}
