"""``python -m vblkfuzz``: the command line, without the installed script."""

from vblkfuzz.cli import main

main()
