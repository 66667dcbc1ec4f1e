"""Save and restore of a device behind a vhost-user back-end: the rig's side.

A VMM stops the VM and saves the device by GET_VRING_BASE of all queues. The device is *suspended*
then: it must not write to guest memory. It is restored on a new connection, on which each queue
goes on where the answers said. Source: "Vhost-user Protocol", "Suspended device state"; QEMU
vhost_dev_stop, vhost_dev_start. The port does the rest (`port.VhostUserPort.save`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.op import op
from vblkfuzz.targets.handover import Handover
from vblkfuzz.targets.vhost.renewal import Renewal
from vblkfuzz.trace.kinds import RESTORED, SAVED, VM_CONT, VM_STOP_CALL, VM_STOP_RET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.recorder import Recorder

_RESTORE: Final = op("restore")
SUSPENSIONS: Final = ("save", _RESTORE.name)
"""Names of the operations that it carries out."""


class Suspension(Renewal):
    """Whether the device of a scenario is saved; makes one for each scenario."""

    saved = False
    """From the end of a save to the begin of the restore."""

    def unfinished(self) -> Op | None:
        """The operation that ends a save; None if the device is not saved."""
        return _RESTORE if self.saved else None

    def save(self, recorder: Recorder) -> Handover | None:
        """Stop the VM and save the device, unless it is saved."""
        if self.saved:
            return None
        recorder.look(self._dequeues)
        recorder.tell(VM_STOP_CALL)

        def done() -> None:
            self.saved = True
            recorder.look(self._dequeues)
            recorder.suspend()
            recorder.tell(VM_STOP_RET)
            recorder.tell(SAVED)

        return Handover(None, done)

    def restore(self, recorder: Recorder) -> Handover | None:
        """Let the device go on on a new connection, if it is saved; run the VM.

        Raises:
            DeviceLost: the back-end accepts no connection.
        """
        if not self.saved:
            return None
        self.saved = False
        recorder.look(self._dequeues)
        recorder.resume()
        recorder.tell(RESTORED)
        recorder.tell(VM_CONT)
        return Handover(self._connections())

    def _connections(self) -> Sequence[int]:
        """Return a new connection; none if the device was broken, as only a reset ends that."""
        return self._renew() if self._link.works else ()
