"""The command line: verbs, their output and exit codes. `main` is the console script."""

from __future__ import annotations

from vblkfuzz.cli.signals import end_at_once, end_in_order

TYPE_CHECKING = False
if TYPE_CHECKING:  # see `cli.signals`
    from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Load the command line and run it; signals end it in order, at any moment."""
    end_at_once()
    from vblkfuzz.cli.standard_streams import guard

    guard()
    from vblkfuzz.cli.app import main as run

    end_in_order()
    try:
        run()
    finally:
        end_at_once()  # an exception in the interpreter's own end would be reported there
