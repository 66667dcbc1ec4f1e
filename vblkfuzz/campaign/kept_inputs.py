"""What libFuzzer has kept: whether a file of the corpus is as the worker knows it to be.

libFuzzer tells no one whether it keeps an input, and not that it could not write it: on a full disk
it leaves an empty file. So after each execution the file that the input would have is looked for.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.input_name import input_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MOST_OWED: Final = 1000
"""Inputs that are remembered until they can be written."""


class KeptInputs:
    """Looks after the files of a corpus.

    Args:
        corpus: the folder into which libFuzzer writes.
        say: called once, with a sentence, when inputs cannot be written.
    """

    def __init__(self, corpus: Path, say: Callable[[str], None]) -> None:
        self._corpus = corpus
        self._say = say
        self._said = False
        self._owed: dict[str, bytes] = {}

    def has(self, data: bytes) -> bool:
        """Whether libFuzzer has kept an input; a file that is not whole is written again."""
        name = input_name(data)
        try:
            size = os.stat(self._corpus / name).st_size
        except OSError:
            return False
        if size == len(data):
            if self._owed:
                self.write_owed()
        elif len(self._owed) < _MOST_OWED:
            self._owed[name] = data
            self.write_owed()
        return True

    def write_owed(self) -> None:
        """Write inputs that could not be written, if they can be now."""
        for name, data in [*self._owed.items()]:
            try:
                write_file(self._corpus / name, data)
            except OSError as error:
                self._complain(error)
                return
            del self._owed[name]

    def _complain(self, error: OSError) -> None:
        if not self._said:
            self._said = True
            reason = error.strerror or error
            self._say(
                f"{self._corpus}: inputs cannot be written: {reason}; up to {_MOST_OWED:,} are"
                " kept in memory and written when there is room"
            )
