"""Command lines of back-ends: a storage daemon with an empty disk, and our own."""

from __future__ import annotations

import sys
from typing import Final

from tests.targets.vhost_user import ring_backend

DAEMON: Final = (
    "qemu-storage-daemon --blockdev driver=null-co,node-name=disk,size=65536 --export "
    "type=vhost-user-blk,id=e,node-name=disk,writable=on,num-queues=4,"
    "addr.type=unix,addr.path={socket}"
)
"""The command line of a storage daemon."""

RINGS: Final = f"{sys.executable} {ring_backend.__file__} {{socket}}"
"""That of our own back-end for both forms of rings."""
