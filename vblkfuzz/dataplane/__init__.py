"""The device under test that comes with the project: QEMU's virtio-blk dataplane as a model."""
