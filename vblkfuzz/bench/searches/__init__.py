"""Searches that `vblkfuzz bench detect` compares, a file each."""
