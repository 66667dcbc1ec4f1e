"""A verb of the command line: what runs, and how one calls it.

Each file of `cli.verbs` ends in one: ``VERB = Verb(show, examples=("vblkfuzz show x.vblk", ...))``.
The signature of the function is the verb's interface, its docstring the help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb, or a group of verbs below one name."""

    run: Callable[..., None]
    """Named as the verb; a ``_`` at the end keeps Python's own name free."""
    examples: tuple[str, ...]
    """Two commands that one can paste; the help ends with them."""
    summary: str = ""
    """Its line in the list of verbs. Empty: the first sentence of its docstring."""
    verbs: tuple[Verb, ...] = ()
    """Verbs of a group; `run` is then called before each of them."""

    @property
    def name(self) -> str:
        """What the user types."""
        return self.run.__name__.rstrip("_")

    @property
    def epilog(self) -> str:
        r"""The end of its help. ``\b`` keeps click from joining the lines."""
        return "\n".join(("\b", "Examples:", *(f"  {command}" for command in self.examples)))
