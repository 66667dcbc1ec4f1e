"""Failed inputs: the folder ``harness/`` with inputs on which the harness itself failed.

    <hash>.vblk  the input, with target, device and mode
    <hash>.txt   how often it failed like this, and the error with the traceback of the actor

One input is saved for each cause, which is the error without its numbers. The campaigns of a folder
together save the first `MAX_KEPT` causes, so that a device that always fails does not fill the
disk: the next campaign goes on with the causes and counts that it finds there. All failures are
counted (`plan.Stat.HARNESS_ERRORS`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final, cast

from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.input_name import input_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vblkfuzz.scenario.artifact import Mode

MAX_KEPT: Final = 20
_HEAD: Final = re.compile(r"Seen at least (\d+) times\. The first time:\n\n")
_NUMBERS: Final = re.compile(r"0x[0-9a-f]+|\d+")


class FailedInputs:
    """Saves the first input of each of the first `MAX_KEPT` causes of a folder."""

    def __init__(self, folder: Path, target: str, device: str, mode: str) -> None:
        self._folder = folder
        self._target, self._device, self._mode = target, device, cast("Mode", mode)
        self._kept: dict[str, _Kept] | None = None
        """By cause; None: the folder was not read yet."""

    def keep(self, data: bytes, reason: str) -> None:
        """Save an input with its error, if its cause is new; else count it.

        Raises:
            OSError: the files cannot be written.
        """
        if self._kept is None:
            self._kept = {cause_of(one.reason): one for one in _kept_in(self._folder)}
        reason = reason.encode(errors="replace").decode()  # as the file has it
        cause = cause_of(reason)
        kept = self._kept.get(cause)
        if kept is None:
            if len(list(self._folder.glob("*.vblk"))) >= MAX_KEPT:
                return
            self._kept[cause] = kept = self._saved(data, reason)
        kept.times += 1
        # Once in a campaign and at each doubling: few writes, never far behind.
        if kept.from_before or kept.times & (kept.times - 1) == 0:
            kept.from_before = False
            write_file(kept.text, f"{kept.head}{kept.reason}".encode())

    def _saved(self, data: bytes, reason: str) -> _Kept:
        scenario = decode(data)
        artifact = Artifact(scenario, self._target, self._device, self._mode)
        path = self._free_place(input_name(encode(scenario)))
        write_file(path.with_suffix(".vblk"), dump_artifact(artifact))
        return _Kept(path.with_suffix(".txt"), reason)

    def _free_place(self, digest: str) -> Path:
        """Return a path without suffix that no file has: two causes may have one input."""
        for number in count(1):
            name = digest[:16] + (f"-{number}" if number > 1 else "")
            path = self._folder / name
            if not any(os.path.lexists(f"{path}{suffix}") for suffix in (".vblk", ".txt")):
                break
        return path


def _kept_in(folder: Path) -> Iterator[_Kept]:
    """Yield the causes that a folder has; not those whose text is lost."""
    for path in sorted(folder.glob("*.vblk")):
        text = path.with_suffix(".txt")
        try:
            said = text.read_bytes().decode(errors="replace")
        except OSError:
            continue
        head = _HEAD.match(said)
        if reason := said[head.end() :] if head else said:
            yield _Kept(text, reason, int(head[1]) if head else 1, from_before=True)


@dataclass(slots=True)
class _Kept:
    """A saved cause."""

    text: Path
    reason: str
    times: int = 0
    from_before: bool = False
    """Whether only earlier campaigns have met it."""

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
