"""Lines and branches of a user's device that inputs reach, counted by coverage.py.

The inputs run inline in the calling process, where coverage.py sees them. That process also runs
what the device's module does when it is imported. A device that ends its process ends this one.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.feedback.features import Features
from vblkfuzz.limits import HANG_LIMIT_S
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.cpu_limit import CpuLimit
from vblkfuzz.process.execution import SharedParts, execute
from vblkfuzz.process.own_code import OwnCode
from vblkfuzz.process.refused_calls import allow_calls, refuse_calls
from vblkfuzz.targets.device_class import device_class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coverage import Coverage

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.scenario.scenario import Scenario

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_ONLY_FOR_TYPES: Final = r"if (typing\.)?TYPE_CHECKING:"


class LineCoverage:
    """What has been reached of a device: start it, run inputs, then report."""

    def __init__(self, device: str) -> None:
        """Start to count, and import the device.

        Args:
            device: as in ``--device``.

        Raises:
            UsageError: there is no such device, or it is built in.
        """
        self._coverage = _counter()
        self._coverage.start()
        try:
            self._device = device_class(device)
            self._own = OwnCode(self._device)
            if not self._own:
                raise UsageError(f"device {device}: built in; expected a device of your own")
        except BaseException:
            self._coverage.stop()
            raise
        self._parts = SharedParts(Arena(), alone=True)
        self._limit = CpuLimit(HANG_LIMIT_S)

    def run(self, scenario: Scenario) -> Features:
        """Run an input; return no features. What it breaks is not asked here.

        Raises:
            HarnessError: the harness failed, or the input did not end in time.
        """
        self._limit.install()
        refuse_calls()
        try:
            with self._limit, redirect_stdout(sys.stderr):
                execute(self._parts, scenario, self._device, self._parts.inline_runner, self._own)
        finally:
            allow_calls()
            self._limit.remove()
        return frozenset()

    def stop(self) -> Report:
        """Stop to count."""
        self._coverage.stop()
        return Report(self._coverage, own_files(self._device, self._own))


class Report:
    """What was reached, in the forms of coverage.py."""

    def __init__(self, coverage: Coverage, files: list[str]) -> None:
        self._coverage = coverage
        self._files = files

    def print(self) -> None:
        """Print a table: lines, branches, and the numbers of those that were missed."""
        self._coverage.report(self._files, show_missing=True, file=sys.stdout)

    def write_html(self, folder: Path) -> None:
        """Write pages with the source, each line marked.

        Raises:
            UsageError: they cannot be written.
        """
        with _writing(folder):
            self._coverage.html_report(self._files, directory=str(folder))

    def write_lcov(self, file: Path) -> None:
        """Write a tracefile of lcov, which editors and code hosts read.

        Raises:
            UsageError: it cannot be written.
        """
        with _writing(file):
            self._coverage.lcov_report(self._files, outfile=str(file))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None


def own_files(device: type[VirtioBlk], own: OwnCode) -> list[str]:
    """Return the files of a device that are imported: of its class, and those beside and below it.

    For a class in a package, the folder is that of the package.
    """
    package = device.__module__.partition(".")[0]
    top = package if _file(package).name else device.__module__
    folder = _file(top).parent
    files = {_file(name) for name in tuple(sys.modules)}
    inside = (file for file in files if file.suffix == ".py" and file.is_relative_to(folder))
    return sorted(str(file) for file in inside if own.has_file(str(file)))


def _file(module: str) -> Path:
    """Return the file of an imported module; an empty path: it has none."""
    # Not getattr: a module may import others when it is asked for what it has not.
    named = getattr(sys.modules[module], "__dict__", {}).get("__file__")
    return Path(named).resolve() if named else Path()


def _counter() -> Coverage:
    from coverage import Coverage

    # No file of data, and no configuration of the user's tests: it could leave the device out.
    counter = Coverage(data_file=None, branch=True, config_file=False, omit=[f"{_PACKAGE}/*"])
    counter.exclude(_ONLY_FOR_TYPES)
    return counter
