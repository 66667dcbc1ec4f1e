"""Target `qemu`: a real qemu-system-x86_64 with a virtio-blk-pci device."""
