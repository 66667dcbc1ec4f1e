"""What stands for the disks of a QEMU whose disk is a vhost-user back-end: a character device.

QEMU listens, and the back-end connects: QEMU accepts the next connection at once when one has
ended, where one that connects itself would wait for a second before it tries again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from vblkfuzz.targets.vhost.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.vhost_user_frontend.process import BackendProcess

CHARDEV: Final = "vu0"
"""Its id."""
_NO_DISK: Final = "the device is on a vhost-user back-end, QEMU has no disk"


class FrontendChardev:
    """Satisfies `targets.qemu.disks.Disks`."""

    def __init__(self, backend: BackendProcess) -> None:
        """Listen.

        Args:
            backend: the process at the other end.
        """
        self.endpoint: Final = Endpoint()
        """Where QEMU listens."""
        self._backend: Final = backend

    @property
    def fds(self) -> Sequence[int]:
        """The listening socket, which QEMU inherits."""
        return (self.endpoint.listener.fileno(),)

    @property
    def pids(self) -> Sequence[int]:
        """The back-end, which carries out its requests."""
        return (self._backend.pid,)

    def arguments(self) -> list[str]:
        """Return the option of the command line."""
        return [f"-chardev socket,id={CHARDEV},fd={self.fds[0]},server=on,wait=off"]

    def node(self, disk: int, *, read_only: bool) -> NoReturn:
        """Fail: there is no node."""
        raise NotImplementedError(_NO_DISK)

    def size(self, disk: int) -> NoReturn:
        """Fail: there is no node."""
        raise NotImplementedError(_NO_DISK)

    def successor(self, used: Sequence[int]) -> NoReturn:
        """Fail: no other process takes over."""
        raise NotImplementedError(_NO_DISK)

    def clear(self) -> None:
        """Do nothing: `Order.START` fills the disk with zeroes."""

    def inherited(self) -> None:
        """Close the listening socket here, so that it ends with QEMU."""
        self.endpoint.hand_over()

    def close(self) -> None:
        """Close what is left here."""
        self.endpoint.close()
