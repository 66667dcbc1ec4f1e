"""A verb of the command line: its function, and examples of its use.

The signature of the function defines the verb's arguments and options, its docstring is the help.
To add one, see CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb, or a group of verbs below one name."""

    run: Callable[..., None]
    """The function; it has the verb's name, with a ``_`` at the end if Python uses that name."""
    examples: tuple[str, ...]
    """Two commands to paste; the help ends with them."""
    summary: str = ""
    """Its line in the list of verbs; empty: the first sentence of its docstring."""
    usage: str = ""
    """What follows the name in the line of its usage; empty: as its parameters say."""
    rewrite: Callable[[list[str]], list[str]] | None = None
    """Rewrites its arguments before they are parsed; raises UsageError."""
    verbs: tuple[Verb, ...] = ()
    """Verbs of a group; then `run` is called before each of them."""

    @property
    def name(self) -> str:
        """The name that the user types."""
        return self.run.__name__.rstrip("_")

    @property
    def epilog(self) -> str:
        r"""The end of the help; ``\b`` keeps click from joining the lines."""
        return "\n".join(("\b", "Examples:", *(f"  {command}" for command in self.examples)))
