"""The guest: a virtio-blk driver that carries out the operations of a scenario."""
