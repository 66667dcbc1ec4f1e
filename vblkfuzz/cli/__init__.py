"""The command line: verbs, what they print, and exit codes. `main` is the console script."""

from vblkfuzz.cli.app import main

__all__ = ["main"]
