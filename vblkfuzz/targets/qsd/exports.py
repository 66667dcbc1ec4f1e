"""An export of a storage daemon: its arguments, and how another one takes its place.

The first ones are made by the command line, with a listener that the daemon inherits. One that is
deleted takes its listener along, and a daemon has no QMP command by which it gets another one. So
the next one has a socket with a name, in a private folder that is removed as soon as it listens.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import DeviceLost
from vblkfuzz.limits import MAX_QUEUES
from vblkfuzz.targets.begun import pause
from vblkfuzz.targets.iothread_polling import IOTHREAD
from vblkfuzz.targets.private_folder import private_folder
from vblkfuzz.targets.vhost.endpoint import SocketFile

if TYPE_CHECKING:
    from vblkfuzz.targets.qmp import Qmp
    from vblkfuzz.targets.qsd.variant import Variant

_LOOK_S: Final = 0.001
"""Seconds between two looks whether an export is gone."""


class Export(NamedTuple):
    """An export of the daemon."""

    sectors: int
    read_only: bool

    @property
    def name(self) -> str:
        """Its id."""
        return f"export{self.sectors}{'-ro' if self.read_only else ''}"


async def delete(qmp: Qmp, export: Export, *, hard: bool) -> None:
    """Begin to delete an export.

    Args:
        qmp: of the daemon.
        export: which.
        hard: cut its connection. If not, it is refused while a front-end is connected.
    """
    await qmp.call("block-export-del", id=export.name, mode="hard" if hard else "safe")


async def exists(qmp: Qmp, export: Export) -> bool:
    """Whether there is an export, one that is being deleted included."""
    return any(each["id"] == export.name for each in await qmp.call("query-block-exports"))


async def gone(qmp: Qmp, export: Export) -> None:
    """Wait until an export is deleted. Its event may have been dropped by others that wait."""
    while await exists(qmp, export):
        await pause(_LOOK_S)


async def add(qmp: Qmp, export: Export, node: str, variant: Variant) -> SocketFile:
    """Export a node, and return where the export listens.

    Args:
        qmp: of the daemon.
        export: its id, and whether it is writable.
        node: name of the node.
        variant: of the daemon.

    Raises:
        DeviceLost: it does not listen.
    """
    iothread = {"iothread": IOTHREAD, "fixed_iothread": variant.fixed}
    with private_folder() as folder:
        path = f"{folder}/s"
        await qmp.call(
            "block-export-add",
            type="vhost-user-blk",
            id=export.name,
            node_name=node,
            addr={"type": "unix", "path": path},
            writable=not export.read_only,
            num_queues=MAX_QUEUES,
            **(iothread if variant.iothread else {}),
        )
        try:
            return SocketFile(os.open(path, os.O_PATH | os.O_CLOEXEC))
        except OSError as error:
            raise DeviceLost(f"the new export does not listen: {error.strerror}") from None
