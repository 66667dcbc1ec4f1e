"""The store buffer of whoever runs: stores in guest memory that the others do not see yet.

An x86 processor may load before its earlier stores are seen elsewhere (TSO); only a barrier orders
a store before a later load. One actor runs at a time here, so a store buffer needs no care on the
way of a load or a store. While an actor runs it writes into guest memory itself, and so sees its
own stores; beside it lies a copy of what the others see, renewed by each barrier. `hide` takes back
what differs when the actor hands over, and `show` puts it there at last. All that is hidden is seen
at once, and hidden bytes win over what others have stored in between, as in a buffer that drains.

The copy and the word before it lie in shared memory: the actor may run in another process, which
calls `follow` when it is handed the turn. Next: `vblkfuzz.schedule.delay`, which decides when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.virtio.memory import no_barrier

if TYPE_CHECKING:
    from vblkfuzz.virtio.memory import GuestMemory

Hidden = list[tuple[int, bytes]]
"""Stores: guest address and the bytes there, ascending."""

HEAD_BYTES: Final = 4
"""Before the copy: a u32, 1 while stores are being watched."""
_PLAIN: Final = 8
"""Bytes that are compared one by one."""


class StoreBuffer:
    """Watches the stores of the running actor."""

    def __init__(self, memory: GuestMemory, view: memoryview) -> None:
        """Keep the copy in `view`, which has `HEAD_BYTES` more than guest memory."""
        self._memory = memory
        self._watching = view[:HEAD_BYTES].cast("I")
        self._seen = view[HEAD_BYTES:]

    def watch(self) -> None:
        """An actor goes on whose stores may be hidden afterwards."""
        self._watching[0] = 1
        self.follow()
        self.drain()

    def end(self) -> None:
        """The actor has handed over; all it has stored is seen unless `hide` is called next."""
        self._watching[0] = 0
        self.follow()

    def follow(self) -> None:
        """Let the barriers of this process do what is due now."""
        self._memory.barrier = self.drain if self._watching[0] else no_barrier

    def drain(self) -> None:
        """Let the others see all stores so far."""
        self._seen[:] = self._memory.bytes

    def barrier(self) -> None:
        """Be a barrier of whoever runs: nothing, unless its stores are watched."""
        self._memory.barrier()

    def hide(self) -> Hidden:
        """Take back what was stored since the last barrier; return it for `show`."""
        data = self._memory.bytes
        mine, seen = data.tobytes(), self._seen.tobytes()
        hidden = _differences(mine, seen, 0, len(mine))
        for at, stored in hidden:
            data[at : at + len(stored)] = seen[at : at + len(stored)]
        return hidden

    def show(self, hidden: Hidden) -> None:
        """Let everybody see hidden stores."""
        data = self._memory.bytes
        for at, stored in hidden:
            data[at : at + len(stored)] = stored


def _differences(mine: bytes, seen: bytes, start: int, end: int) -> Hidden:
    """Return the bytes of `mine` that are not those of `seen`: halving skips what is equal."""
    if mine[start:end] == seen[start:end]:
        return []
    if end - start <= _PLAIN:
        return [(at, mine[at : at + 1]) for at in range(start, end) if mine[at] != seen[at]]
    middle = (start + end) // 2
    return _differences(mine, seen, start, middle) + _differences(mine, seen, middle, end)
