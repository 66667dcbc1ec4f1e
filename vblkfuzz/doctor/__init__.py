"""What this machine can do, and what to do about each thing missing: `vblkfuzz doctor`."""
