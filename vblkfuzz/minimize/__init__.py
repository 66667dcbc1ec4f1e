"""Finding the smallest scenario that shows the same bug. Start reading at `minimize.minimize`."""
