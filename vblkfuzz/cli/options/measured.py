"""Inputs of a corpus with their features, for the verbs that compare them.

An input that cannot be read or judged is reported on stderr, and the others follow; `exit_status`
has the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from vblkfuzz.cli.views.complaint import say_error
from vblkfuzz.errors import ExitStatus, HarnessError, InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vblkfuzz.feedback.features import Measure
    from vblkfuzz.feedback.minimal_corpus import Measured


class CorpusReader:
    """Reads and measures inputs."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self.exit_status = ExitStatus.CLEAN
        """125 an input could not be judged, else 2 one could not be read, else 0."""

    def read(self, folder: Path, *, may_be_empty: bool = False) -> Iterator[Measured]:
        """Yield the inputs of a folder that can be read and judged.

        Raises:
            InputFileError: there is no such folder, or it has no inputs and may not be empty.
        """
        from vblkfuzz.store.input_paths import NO_INPUTS, input_paths

        console = Console(stderr=True)
        paths = input_paths(folder)
        if not (paths or may_be_empty):
            raise InputFileError(str(folder), "", NO_INPUTS)
        hidden = not console.is_terminal
        for path in track(paths, str(folder), console=console, transient=True, disable=hidden):
            found = self._measured(path)
            if found is not None:
                yield found

    def _measured(self, path: Path) -> Measured | None:
        from vblkfuzz.feedback.minimal_corpus import Measured
        from vblkfuzz.scenario.artifact import read_input_file

        try:
            file = read_input_file(path)
            return Measured(file.raw, self._measure(file.artifact.scenario))
        except InputFileError as error:
            say_error(error)
            self.exit_status = max(self.exit_status, ExitStatus.USAGE)
        except HarnessError as error:
            say_error(HarnessError(f"{path}: {error.sentence}"))
            self.exit_status = max(self.exit_status, ExitStatus.HARNESS)
        return None
