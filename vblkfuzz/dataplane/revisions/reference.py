"""Revision `reference`: the device without a known violation.

It is `VirtioBlk` itself; see there. Differences to QEMU 10.2 that make it clean:

* stop drops the last kick instead of reading it, and detaches in the handlers' threads even when
  drained, which waits for running handlers;
* a start that fails serves what was kicked before it;
* stop puts parked requests on the retry list, so they wait for `cont` wherever the drain ends;
* the config generation changes with the capacity;
* reset and queue reset cancel parked requests;
* `drained_poll` keeps a drain waiting while a handler has popped but not submitted;
* a resumed request looks at the drain again before it is submitted.
"""

from __future__ import annotations

from vblkfuzz.dataplane.virtio_blk import VirtioBlk


class Reference(VirtioBlk):
    """virtio-blk as it should be."""
