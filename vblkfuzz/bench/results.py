"""The file of results of `vblkfuzz bench detect`: JSON lines, the setup first, then the trials.

A trial is one line, written when it has ended. A bench that was killed goes on with the same file;
a line that it had half written is no trial.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_type_hints

from vblkfuzz._build import build
from vblkfuzz._version import __version__
from vblkfuzz.bench.trial import Trial, digest_of
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.errors import UsageError
from vblkfuzz.feedback.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import FileIO
    from types import TracebackType
    from typing import Self

    from vblkfuzz.bench.searches.search import Budget

_CPUINFO: Final = Path("/proc/cpuinfo")
_ANOTHER: Final = "name another file with --results"
_WORDS: Final = {int: "an integer", float: "a number", str: "a string"}


_Row = TypeVar("_Row", "Setup", Trial)


@dataclass(frozen=True, slots=True)
class Setup:
    """How all trials of a file were run. They can be compared only if it is one setup."""

    runs: int
    """Limit of executions of each trial."""
    seconds: float
    """Limit of seconds of each trial."""
    source: str
    """Digest of the source of vblkfuzz and of the version of Python."""
    version: str
    python: str
    machine: str
    """Model of its processor, and number of its cores."""
    begun: str
    """Day of the first trial."""


def setup_of(budget: Budget) -> Setup:
    """Return the setup of trials that are run here and now."""
    return Setup(
        budget.runs,
        budget.seconds,
        fingerprint_of(REVISIONS["reference"], (), ""),
        f"{__version__} ({build()})",
        platform.python_version(),
        f"{_processor()}, {os.cpu_count()} cores",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )


def _processor() -> str:
    lines = _CPUINFO.read_text().splitlines() if _CPUINFO.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def read_results(path: Path) -> tuple[Setup, list[Trial]]:
    """Return the setup and the trials of a file.

    Raises:
        UsageError: there is no such file, or it has something else.
    """
    try:
        lines = path.read_text().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    rows = [
        (number, values)
        for number, line in enumerate(lines, 1)
        if line and (values := _values(path, number, line))
    ]
    if not rows:
        raise UsageError(f"{path}: expected results of bench detect, found nothing")
    first, *others = rows
    return _made(path, Setup, *first), [_made(path, Trial, *each) for each in others]


def _made(path: Path, kind: type[_Row], number: int, values: dict[str, Any]) -> _Row:
    """Return a row with the values of a line."""
    place = f"{path}: line {number}: expected a {kind.__name__.lower()} of bench detect"
    wanted = get_type_hints(kind)
    for name, value in values.items():
        if name not in wanted:
            raise UsageError(f"{place}, found a field {name!r}")
        numbers = (int, float) if wanted[name] is float else wanted[name]
        if not isinstance(value, numbers) or isinstance(value, bool):
            words = f"{name}: expected {_WORDS[wanted[name]]}, found {json.dumps(value)}"
            raise UsageError(f"{path}: line {number}: {words}")
    try:
        return kind(**values)
    except TypeError:
        missing = ", ".join(each for each in wanted if each not in values)
        raise UsageError(f"{place}, found none of {missing}") from None


def _values(path: Path, number: int, line: str) -> dict[str, Any]:
    """Return the values of a line; none if it was cut off when the bench was killed."""
    try:
        values: object = json.loads(line)
    except ValueError:
        if line.endswith("}"):
            raise UsageError(f"{path}: line {number}: expected JSON") from None
        return {}
    if not isinstance(values, dict):
        raise UsageError(f"{path}: line {number}: expected a JSON object, found {line[:40]}")
    return values


def _opened(path: Path) -> FileIO:
    """Return the file, to append to; it is this process's alone until it is closed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UsageError(f"{path}: another bench writes it; {_ANOTHER}") from None
    return file


class Results:
    """A file of results that trials are added to; one process at a time does that.

    Raises:
        UsageError: the file has something else or trials of another setup, another process writes
            it, or it cannot be written.
    """

    def __init__(self, path: Path, setup: Setup) -> None:
        self._path = path
        is_new = not path.exists() or path.stat().st_size == 0
        if not is_new:
            read_results(path)  # what is no file of results is not touched
        self._file = _opened(path)
        if is_new:
            self._write(asdict(setup))
        self.setup, self.trials = read_results(path)
        self._check(setup)
        self._end_line()

    def __enter__(self) -> Self:
        """Keep the file to this process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def _check(self, setup: Setup) -> None:
        for name in ("runs", "seconds", "source", "machine"):
            old, new = getattr(self.setup, name), getattr(setup, name)
            if old != new:
                self._file.close()
                other = f"another setup: {name} {old}, now {new}"
                raise UsageError(f"{self._path}: has trials of {other}; {_ANOTHER}")

    def check_devices(self, devices: Iterable[str]) -> None:
        """Check that the devices are those of the trials of before.

        Raises:
            UsageError: the file of one of them has changed.
        """
        for device in devices:
            digest = digest_of(device)
            if any(one.file != digest for one in self.trials if one.device == device):
                raise UsageError(f"{self._path}: {device} has changed since; {_ANOTHER}")

    def _end_line(self) -> None:
        """End a line that was cut off."""
        if not self._path.read_bytes().endswith(b"\n"):
            self._file.write(b"\n")

    def add(self, trial: Trial) -> None:
        """Write a trial; it is on the disk when this returns.

        Raises:
            OSError: it cannot be written.
        """
        self._write(asdict(trial))
        self.trials.append(trial)

    def _write(self, values: dict[str, Any]) -> None:
        self._file.write(json.dumps(values).encode() + b"\n")
        os.fsync(self._file.fileno())
