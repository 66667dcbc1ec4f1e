"""How far an exploration of stories has come: ``OUT/explore-stories.json``.

The file is there while an exploration is unfinished. It lists the units that have been explored,
each with its counts and findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.explore.position_file import PositionFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAME: Final = "explore-stories.json"
FORMAT: Final = 1


class Done(NamedTuple):
    """One unit that has been explored, as a value in JSON form."""

    stories: int
    schedules: int
    prefixes: int
    """Schedules that were run for the states they lead to only."""
    merged: int
    """Those that led where another one had."""
    findings: dict[str, str]
    """By signature: a scenario in hexadecimal digits."""


class Key(NamedTuple):
    """Which unit it is."""

    length: int
    number: int
    """Its number among those of this length."""


class StoryPosition:
    """The units that have been explored."""

    def __init__(self, out: Path, of: Mapping[str, str]) -> None:
        """Read the position in the folder `out`, if there is one.

        Args:
            out: the output folder.
            of: what is explored, as in `PositionFile`.

        Raises:
            InputFileError: the file cannot be read.
            UsageError: it is of another exploration.
        """
        self._file = PositionFile(out / NAME, FORMAT, of)
        self._done: dict[Key, Done] = {}
        said = self._file.read()
        if said is not None:
            try:
                self._done = {Key(*key): Done(*done) for key, done in said["units"]}
            except (KeyError, TypeError, ValueError) as error:
                problem = f"expected what explore writes, found {error!r}"
                raise self._file.unreadable(problem) from error

    @property
    def units(self) -> int:
        """Number of units that have been explored."""
        return len(self._done)

    def has(self, key: Key) -> bool:
        """Whether a unit has been explored."""
        return key in self._done

    def add(self, key: Key, done: Done) -> None:
        """Add a unit, and write the file if it is time.

        Raises:
            OSError: it cannot be written.
        """
        self._done[key] = done
        if self._file.is_due():
            self.keep()

    def keep(self) -> None:
        """Write the file.

        Raises:
            OSError: it cannot be written.
        """
        self._file.write({"units": list(self._done.items())})

    def remove(self) -> None:
        """Remove the file: the exploration is complete.

        Raises:
            OSError: it cannot be removed.
        """
        self._file.remove()

    def up_to(self, length: int) -> Iterator[Done]:
        """Return the units of stories of at most so many operations, in order."""
        return (done for key, done in sorted(self._done.items()) if key.length <= length)
