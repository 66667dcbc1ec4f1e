"""``python -m vblkfuzz``: the command line without its script."""

from vblkfuzz.cli import main

main()
