"""A back-end of another project: a storage daemon with an empty disk."""

from __future__ import annotations

from typing import Final

DAEMON: Final = (
    "qemu-storage-daemon --blockdev driver=null-co,node-name=disk,size=65536 --export "
    "type=vhost-user-blk,id=e,node-name=disk,writable=on,num-queues=4,"
    "addr.type=unix,addr.path={socket}"
)
"""The command line that starts it."""
