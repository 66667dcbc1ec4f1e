"""The command line: verbs, their output and exit codes. `main` is the console script."""

from vblkfuzz.cli.app import main

__all__ = ["main"]
