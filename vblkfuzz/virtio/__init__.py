"""Split virtqueues (virtio 1.2, 2.7) and virtio-blk requests (5.2), both ends."""
