"""Revision `reference`: the device without a known violation.

It adds nothing to `VirtioBlk`. These differences from QEMU 10.2 remove its known violations:

* stop drops the last kick instead of reading the notifier; it detaches in the threads of the
  handlers even when drained, and so waits for running handlers;
* a start that fails serves the queues that were kicked before it;
* a VM stop puts parked requests on the retry list, so they wait for `cont` whenever their drain
  ends;
* the config generation changes together with the capacity;
* reset and queue reset cancel parked requests;
* a drain waits for a handler that has popped but not yet submitted (`drained_poll`);
* a woken request is parked again if the next drain has begun.
"""

from __future__ import annotations

from vblkfuzz.dataplane.virtio_blk import VirtioBlk


class Reference(VirtioBlk):
    """virtio-blk without a known violation."""
