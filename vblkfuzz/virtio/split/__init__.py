"""Split virtqueues (virtio 1.2, 2.7): both ends, a file each."""
