"""Failed inputs: the folder ``harness/`` with inputs on which the harness itself failed.

    <hash>.vblk  the input, with target, device and mode
    <hash>.txt   how often it failed like this, and the error with the traceback of the actor

One input is saved for each cause, which is the error without its numbers. A campaign saves the
first `MAX_KEPT` causes, so that a device that always fails does not fill the disk. All failures are
counted (`plan.Stat.HARNESS_ERRORS`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.store.atomic import write_file

if TYPE_CHECKING:
    from pathlib import Path

    from vblkfuzz.scenario.artifact import Mode

MAX_KEPT: Final = 20
_NUMBERS: Final = re.compile(r"0x[0-9a-f]+|\d+")


class FailedInputs:
    """Saves the first input of each of the first `MAX_KEPT` causes."""

    def __init__(self, folder: Path, target: str, device: str, mode: str) -> None:
        self._folder = folder
        self._target, self._device, self._mode = target, device, cast("Mode", mode)
        self._kept: dict[str, _Kept] = {}
        """By cause."""

    def keep(self, data: bytes, reason: str) -> None:
        """Save an input with its error, if its cause is new; else count it.

        Raises:
            OSError: the files cannot be written.
        """
        cause = cause_of(reason)
        kept = self._kept.get(cause)
        if kept is None:
            if len(self._kept) == MAX_KEPT:
                return
            self._kept[cause] = kept = self._saved(data, reason)
        kept.times += 1
        if kept.times & (kept.times - 1) == 0:  # at each doubling: few writes, never far behind
            write_file(kept.text, f"{kept.head}{kept.reason}".encode(errors="replace"))

    def _saved(self, data: bytes, reason: str) -> _Kept:
        scenario = decode(data)
        name = hashlib.sha1(encode(scenario), usedforsecurity=False).hexdigest()[:16]
        # Two causes may have one input.
        same = sum(kept.text.name.startswith(name) for kept in self._kept.values())
        name += f"-{same + 1}" if same else ""
        artifact = Artifact(scenario, self._target, self._device, self._mode)
        write_file(self._folder / f"{name}.vblk", dump_artifact(artifact))
        return _Kept(self._folder / f"{name}.txt", reason)


@dataclass(slots=True)
class _Kept:
    """A saved cause."""

    text: Path
    reason: str
    times: int = 0

    @property
    def head(self) -> str:
        return f"Seen at least {self.times} times. The first time:\n\n" if self.times > 1 else ""


def cause_of(reason: str) -> str:
    """Return what two errors of the same cause have in common: the last call, the last line.

    >>> cause_of("worker 1 ended by signal 9, see log/worker-1.log")
    'worker # ended by signal #, see log/worker-#.log'
    """
    lines = reason.rstrip().splitlines() or [""]
    calls = [line.strip() for line in lines if line.lstrip().startswith('File "')]
    return "\n".join([*calls[-1:], _NUMBERS.sub("#", lines[-1])])
