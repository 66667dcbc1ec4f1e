"""Packed virtqueues (virtio 1.2, 2.8): the same names as for split ones, a file each."""
