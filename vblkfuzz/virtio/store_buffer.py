"""The store buffer of the running actor: stores in guest memory that other actors do not see yet.

An x86 processor may execute a load before its earlier stores are visible to other processors (TSO);
only a barrier orders a store before a later load. One actor runs at a time here, so the buffer can
be modelled without code in each load and store:

* While an actor runs, it writes into guest memory directly and so sees its own stores. A copy holds
  what the other actors see; each barrier updates the copy.
* When the actor hands over, `hide` reverts the bytes that differ from the copy. Later `show` writes
  them again, all at once. They overwrite what other actors have stored at these addresses in
  between, as when a store buffer drains.

The copy and the word before it lie in shared memory: the actor may run in another process, which
calls `follow` when it gets the turn. Next: `vblkfuzz.schedule.delay` decides when to hide stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.virtio.memory import no_barrier

if TYPE_CHECKING:
    from vblkfuzz.virtio.memory import GuestMemory

Hidden = list[tuple[int, bytes]]
"""Stores: guest address and the bytes there, ascending."""

HEAD_BYTES: Final = 4
"""Bytes before the copy: a u32, 1 while stores are watched."""
_PLAIN: Final = 8
"""Parts of at most so many bytes are compared byte by byte."""


class StoreBuffer:
    """Watches the stores of the running actor."""

    def __init__(self, memory: GuestMemory, view: memoryview) -> None:
        """Keep the copy in `view`, which is `HEAD_BYTES` longer than guest memory."""
        self._memory = memory
        self._watching = view[:HEAD_BYTES].cast("I")
        self._visible = view[HEAD_BYTES:]

    def watch(self) -> None:
        """Begin the turn of an actor whose stores may be hidden at its end."""
        self._watching[0] = 1
        self.follow()
        self.drain()

    def end(self) -> None:
        """End the turn; all stores of the actor are visible unless `hide` is called next."""
        self._watching[0] = 0
        self.follow()

    def follow(self) -> None:
        """Set the barrier of this process: `drain` while stores are watched, else no effect."""
        self._memory.barrier = self.drain if self._watching[0] else no_barrier

    def drain(self) -> None:
        """Make all stores so far visible to the other actors."""
        self._visible[:] = self._memory.bytes

    def barrier(self) -> None:
        """Do a barrier of the running actor; it has no effect unless stores are watched."""
        self._memory.barrier()

    def hide(self) -> Hidden:
        """Revert the stores since the last barrier; return them for `show`."""
        data = self._memory.bytes
        own, visible = data.tobytes(), self._visible.tobytes()
        hidden = differences(own, visible, 0, len(own))
        for at, stored in hidden:
            data[at : at + len(stored)] = visible[at : at + len(stored)]
        return hidden

    def show(self, hidden: Hidden) -> None:
        """Make hidden stores visible to all actors."""
        data = self._memory.bytes
        for at, stored in hidden:
            data[at : at + len(stored)] = stored


def differences(own: bytes, visible: bytes | bytearray, start: int, end: int) -> Hidden:
    """Return the bytes of `own` that differ from `visible`, ascending, one by one.

    Halving skips equal parts. `start` and `end` bound the part that is compared.
    """
    if own[start:end] == visible[start:end]:
        return []
    if end - start <= _PLAIN:
        return [(at, own[at : at + 1]) for at in range(start, end) if own[at] != visible[at]]
    middle = (start + end) // 2
    return differences(own, visible, start, middle) + differences(own, visible, middle, end)
