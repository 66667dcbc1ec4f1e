"""The mailbox: the guest driver's transport to the model, over the shared register file.

Only writes that the device acts on leave guest mode: a reset, DRIVER_OK, a queue reset, a kick
without an ioeventfd, FEATURES_OK if the device may refuse it. All other writes are *posted* into
the registers, and the device reads them at the next exit. The guest gets no turn while an exit is
pending (`process.guest`), so calls that end an operation of the driver do not wait for their exit:
that would cost one turn each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.registers import (
    AVAIL,
    CAPACITY,
    DESC,
    ENABLED,
    FEATURES_EXIT,
    GENERATION,
    IOEVENTFD,
    KNOWN_ID,
    SIZE,
    STATUS,
    USED,
    WRITEBACK,
    Exit,
    Registers,
)
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK, STATUS_FAILED, STATUS_FEATURES_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.dataplane.notifier import EventNotifier
    from vblkfuzz.driver.transport import GuestSteps
    from vblkfuzz.virtio.queue import Areas

# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_, _STATUS_EXIT, _KICK_EXIT, _QUEUE_RESET_EXIT, _QUEUE_ENABLE_EXIT, _WRITEBACK_EXIT = Exit

_HAND_SHAKE: Final = STATUS_FEATURES_OK | STATUS_DRIVER_OK | STATUS_FAILED

# An exhausted generator: `yield from` on it does nothing, any number of times.
_NO_STEPS: Final[GuestSteps] = (_ for _ in ())
list(_NO_STEPS)


class MailboxTransport:
    """Satisfies `driver.transport.Transport`."""

    in_turns = True

    def __init__(
        self,
        registers: Registers,
        kicks: Sequence[EventNotifier],
        calls: Sequence[EventNotifier],
    ) -> None:
        self._registers = registers
        self._kicks = kicks
        self._calls = calls

    def device_features(self) -> int:
        """Return the feature bits that the device offers."""
        return self._registers.offered

    def accept_features(self, features: int) -> None:
        """Post the feature bits."""
        self._registers.features = features

    def set_up_queue(self, index: int, layout: Areas) -> GuestSteps:
        """Post the queue registers.

        No exit is needed as long as the next kick or DRIVER_OK is one: the device reads the
        registers there. A kick of a queue with an ioeventfd is none.
        """
        write = self._registers.set_queue
        write(index, SIZE, layout.size)
        write(index, DESC, layout.desc)
        write(index, AVAIL, layout.avail)
        write(index, USED, layout.used)
        write(index, ENABLED, 1)
        if self.read_status() & STATUS_DRIVER_OK or self._registers.queue(index, IOEVENTFD):
            self._registers.post_exit(_QUEUE_ENABLE_EXIT, index)
        return _NO_STEPS

    def write_status(self, value: int) -> GuestSteps:
        """Post the status; exit for DRIVER_OK, exit and wait for a reset (4.1.4.3.2).

        A device that may refuse FEATURES_OK is given the time to do so, too.
        """
        if value == 0 or (value & _HAND_SHAKE == STATUS_FEATURES_OK and self._may_refuse()):
            return self._exit_and_wait(_STATUS_EXIT, value)
        if value & STATUS_DRIVER_OK:
            self._registers.post_exit(_STATUS_EXIT, value)
        else:
            self._registers.words[STATUS] = value
        return _NO_STEPS

    def reset_function(self) -> GuestSteps:
        """Reset the device by its status: it is no PCI function."""
        return self.write_status(0)

    def _may_refuse(self) -> bool:
        return bool(self._registers.words[FEATURES_EXIT])

    def read_status(self) -> int:
        """Read the status register."""
        return self._registers.words[STATUS]

    def is_lost(self) -> bool:
        """Return False: the model is always there."""
        return False

    def queue_enabled(self, index: int) -> bool:
        """Read whether a queue is enabled."""
        return bool(self._registers.queue(index, ENABLED))

    def config_generation(self) -> int:
        """Read the generation register."""
        return self._registers.words[GENERATION]

    def capacity(self) -> int:
        """Read the capacity register."""
        return self._registers.words[CAPACITY]

    def writeback(self) -> int:
        """Read the register with the cache mode."""
        return self._registers.words[WRITEBACK]

    def set_writeback(self, mode: int) -> GuestSteps:
        """Exit for a write of the cache mode and wait for it."""
        return self._exit_and_wait(_WRITEBACK_EXIT, mode)

    def known_id(self) -> int:
        """Read the register with the digest of the id."""
        return self._registers.words[KNOWN_ID]

    def kick(self, index: int) -> GuestSteps:
        """Signal the ioeventfd if one is assigned (as KVM does), else exit."""
        if self._registers.queue(index, IOEVENTFD):
            self._kicks[index].set()
        else:
            self._registers.post_exit(_KICK_EXIT, index)
        return _NO_STEPS

    def kick_inband(self, index: int) -> GuestSteps:
        """Exit, even if an ioeventfd is assigned."""
        self._registers.post_exit(_KICK_EXIT, index)
        return _NO_STEPS

    def reset_queue(self, index: int) -> GuestSteps:
        """Exit for a queue reset and wait for it."""
        return self._exit_and_wait(_QUEUE_RESET_EXIT, index)

    def take_call(self, index: int) -> bool:
        """Clear the call eventfd; return whether it was set."""
        return self._calls[index].clear()

    def take_config_call(self) -> bool:
        """Return False: the device records such an interrupt itself."""
        return False

    def _exit_and_wait(self, reason: Exit, argument: int) -> GuestSteps:
        self._registers.post_exit(reason, argument)
        while self._registers.exit_pending():
            yield True
