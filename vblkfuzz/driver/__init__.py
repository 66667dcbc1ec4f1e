"""The guest: a virtio-blk driver that does what the scenario says, hostile contents included."""
