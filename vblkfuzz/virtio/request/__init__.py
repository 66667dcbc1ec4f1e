"""Requests: virtio-blk (virtio 1.2, 5.2) and virtio-scsi (5.6), a file each."""
