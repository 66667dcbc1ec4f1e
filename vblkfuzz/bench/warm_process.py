"""The bench's handle of a warm process (`bench.warm`): it starts trials and takes their results."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from vblkfuzz.bench.trial import RESULT, SAID, Key, Trial
from vblkfuzz.errors import HarnessError
from vblkfuzz.targets.private_folder import private_folder

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from vblkfuzz.bench.searches.search import Budget


class WarmProcess:
    """A process that all trials of one search are forked from, while the block runs."""

    def __init__(self, search: str, budget: Budget) -> None:
        self._search = search
        self._trials: dict[str, Key] = {}
        """Those that run, by their folders."""
        self._keeper = ExitStack()
        self._folder = folder = Path(self._keeper.enter_context(private_folder()))
        self._said = folder / SAID
        with self._said.open("wb") as stderr:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "vblkfuzz.bench.warm"),
                    *(search, json.dumps(budget), str(os.getpid())),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                bufsize=0,
                env={
                    **os.environ,
                    "PYTHONHASHSEED": "0",  # as in a worker
                    # Hypothesis keeps files there, else in the working directory.
                    "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
                },
            )

    def __enter__(self) -> Self:
        """End it when the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it with the trials that still run, and remove all folders."""
        self._process.terminate()
        with self._process:  # closes the pipes and waits
            pass
        self._keeper.close()

    def fileno(self) -> int:
        """Return what can be read when a trial has ended, or the process itself."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def start(self, key: Key) -> None:
        """Start a trial of its search."""
        folder = tempfile.mkdtemp(dir=self._folder)
        self._trials[folder] = key
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([key, folder]).encode() + b"\n")
        except BrokenPipeError:
            raise self._failure() from None

    def take(self) -> Trial:
        """Return the result of a trial that has ended; wait for one.

        Raises:
            HarnessError: it failed, or the process itself.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._failure()
        name, status = json.loads(line)
        folder, key = Path(name), self._trials.pop(name)
        if status:
            which = f"{key.search} on {key.device}, seed {key.seed}"
            raise HarnessError(f"bench: {which} ends with {status}: {_last(folder / SAID)}")
        trial = Trial(**json.loads((folder / RESULT).read_bytes()))
        shutil.rmtree(folder)
        return trial

    def _failure(self) -> HarnessError:
        status = self._process.wait()
        return HarnessError(f"bench: {self._search} ends with {status}: {_last(self._said)}")


def _last(path: Path) -> str:
    said = path.read_text(errors="replace").splitlines() if path.exists() else []
    return said[-1] if said else "it says nothing"
