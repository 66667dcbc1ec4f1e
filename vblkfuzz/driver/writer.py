"""Writes requests into the slots and descriptors of a queue. Next: `guest` makes them available."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.memory_map import AREAS
from vblkfuzz.driver.sent import Sent
from vblkfuzz.driver.shape import Plain, changes, reshape
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import Answer, answer
from vblkfuzz.virtio.queue import QueueFull

if TYPE_CHECKING:
    from vblkfuzz.driver.guest_queue import GuestQueue
    from vblkfuzz.driver.memory_watch import MemoryWatch
    from vblkfuzz.driver.request import RequestForm
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.virtio.memory import GuestMemory

_READ: Final = REQUESTS.index("in")
_GET_ID: Final = REQUESTS.index("get_id")


class Writer:
    """Writes requests of one form."""

    def __init__(self, memory: GuestMemory, form: RequestForm, watch: MemoryWatch) -> None:
        self._memory = memory
        self._form = form
        self._watch = watch

    def write(self, queue: GuestQueue, operation: Op, serial: int, *, indirect: bool) -> int | None:
        """Write the request of an operation; return its head, None if there is no room.

        Args:
            queue: where to.
            operation: a `publish` or `publish_kick`.
            serial: number of the request.
            indirect: its chain is in an indirect table.
        """
        if not queue.free_slots:
            return None
        form, slot = self._form, queue.free_slots[-1]
        _, _, code, shape, sector, more = operation
        area = AREAS[slot.header] if shape else form.area(slot, more + 1)
        self._watch.look_at(queue.index, area)
        buffers = form.build(self._memory, slot, code, sector, more + 1, serial)
        table = slot.table if indirect else None
        shaped = bool(shape) and changes(form, shape, code, table)
        try:
            if shaped:
                size = queue.layout.size
                plain = Plain(self._memory, slot, buffers, size, code, form)
                buffers, table = reshape(plain, shape, table)
            head = queue.ring.add(*buffers, table)
        except QueueFull:
            self._watch.wrote(area)
            return None
        is_read = code == _READ and (not shaped or answer(shape, code) == Answer.SERVED)
        read = (sector, more) if is_read else None
        slot = queue.free_slots.pop()
        of = form.unit_of(sector)
        queue.sent[head] = Sent(slot, buffers, table, area, shaped, read, code == _GET_ID, of)
        return head
