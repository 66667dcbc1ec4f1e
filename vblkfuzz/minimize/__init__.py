"""The same bug in the smallest scenario. Start reading at `minimize`."""
