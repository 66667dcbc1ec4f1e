"""What the guest's access to a device of QEMU has in common, whatever bus the device is on.

The rings are in shared guest memory and need no qtest. Runs in the guest process.
"""

from __future__ import annotations

import mmap
import socket
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.targets.qemu.qtest import QTest
from vblkfuzz.trace.event import Frame
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.request.blk import id_digest

if TYPE_CHECKING:
    from vblkfuzz.driver.transport import GuestSteps

SERIAL: Final = "vblkfuzz-qemu-disk00"
"""Serial number of the device: the longest that GET_ID can answer (virtio 1.2, 5.2.6)."""
_KNOWN_ID: Final = id_digest(SERIAL.encode())
_ZEROES: Final = bytes(GUEST_MEMORY_SIZE)
NO_STEPS: Final[GuestSteps] = (_ for _ in ())
"""Steps of a call that is over when it returns."""
list(NO_STEPS)


class QtestPort:
    """Guest memory, and a connection of qtest; a part of a `driver.port.Port`."""

    in_turns = False

    queue_reset = Frame.QUEUE_RESET

    def __init__(self, ram: int) -> None:
        """Map guest memory.

        Args:
            ram: memfd of guest memory; stays open.
        """
        self._mapping = mmap.mmap(ram, GUEST_MEMORY_SIZE)
        self.memory = GuestMemory(memoryview(self._mapping))
        self._qtest: QTest | None = None

    def close(self) -> None:
        """Disconnect; unmap guest memory: the mapping keeps a file descriptor of its own."""
        if self._qtest is not None:
            self._qtest.close()
        for view in (self.memory.u32, self.memory.u16, self.memory.bytes):
            view.release()
        self._mapping.close()

    def save(self) -> None:
        """Do nothing: QEMU itself stops and saves the device."""

    def restore(self, fds: list[int]) -> None:
        """Use the process behind this connection: it has loaded the device, or is a new one."""
        if self._qtest is not None:
            self._qtest.close()
        self._qtest = QTest(socket.socket(fileno=fds[0]))

    def replace(self, fds: list[int]) -> None:
        """Do nothing: a new device is at the same place."""

    def is_lost(self) -> bool:
        """Return False: without its process the scenario ends."""
        return False

    def known_id(self) -> int:
        """Return the digest of the serial that QEMU is started with."""
        return _KNOWN_ID

    @property
    def _line(self) -> QTest:
        assert self._qtest is not None, "power_on comes first"
        return self._qtest

    def _clear_memory(self) -> None:
        """Clear guest memory, which no device uses now."""
        self.memory.bytes[:] = _ZEROES
