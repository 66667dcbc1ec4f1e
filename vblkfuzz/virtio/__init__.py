"""Virtqueues, split (virtio 1.2, 2.7) and packed (2.8), and the requests that go through them."""
