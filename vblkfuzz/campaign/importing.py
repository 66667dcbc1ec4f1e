"""The import of the folders of ``--corpus``, as it is told to the user.

A file that is no input does not end the campaign. The first `_NAMED` are named, the others counted:
all are in the record of the quarantine (`store.quarantine`).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.launch.plan import Message
from vblkfuzz.store.corpus import import_folder
from vblkfuzz.store.quarantine import Quarantine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_NAMED: Final = 20
"""Most files of all folders that are named on the screen."""
_EVERY_S: Final = 5.0
"""Seconds between two lines about a long import."""


class Importing:
    """Imports folders into the corpus of an output folder.

    Args:
        out: the output folder.
        say: called with each message.
        cut_short: returns why no more is to be imported; empty: nothing is wrong.
        clock: seconds that pass, for tests.
    """

    def __init__(
        self,
        out: Path,
        say: Callable[[Message], None],
        cut_short: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out
        self._say = say
        self._cut_short = cut_short
        self._clock = clock
        self._problems = 0

    def run(self, folders: Iterable[Path]) -> None:
        """Import folders, each once, until all are there or it is cut short.

        Raises:
            InputFileError: a folder has gone.
            HarnessError: corpus or quarantine cannot be written.
        """
        each_once = {os.path.realpath(folder): folder for folder in folders}
        try:
            with Quarantine(self._out / "quarantine") as quarantine:
                for folder in each_once.values():
                    self._import(folder, quarantine)
        except OSError as error:
            problem = f"{self._out}: cannot be written: {error.strerror or error}"
            raise HarnessError(problem) from error
        if self._problems > _NAMED:
            where = quarantine.record
            self._quarantined(f"{self._problems - _NAMED} more files, all named in {where}")

    def _import(self, folder: Path, quarantine: Quarantine) -> None:
        done = total = 0
        said, corpus = self._clock(), self._out / "corpus"
        for one in import_folder(folder, corpus, quarantine, self._cut_short):
            done, total = done + 1, one.total
            if one.problem:
                self._note(one.problem)
            if (now := self._clock()) >= said + _EVERY_S:
                said = now
                self._say_corpus(folder, f"{done:,} of {total:,} files imported")
        why = self._cut_short() if done < total or not done else ""
        if not done:
            self._say_corpus(folder, f"nothing imported, {why}" if why else "no inputs")
        elif why:
            self._say_corpus(folder, f"{done:,} of {total:,} files imported, {why}")

    def _say_corpus(self, folder: Path, text: str) -> None:
        self._say(Message("corpus", f"{folder}: {text}"))

    def _note(self, problem: str) -> None:
        self._problems += 1
        if self._problems <= _NAMED:
            self._quarantined(problem)

    def _quarantined(self, text: str) -> None:
        self._say(Message("quarantined", text))
