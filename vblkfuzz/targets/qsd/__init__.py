"""Target `qsd`: the vhost-user-blk export of a real qemu-storage-daemon."""
