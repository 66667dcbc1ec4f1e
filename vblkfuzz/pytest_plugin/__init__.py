"""The pytest plugin: scenarios in your repository as test items.

    [tool.pytest.ini_options]
    testpaths = ["tests", "corpus"]
    vblk_corpus = ["corpus"]

Every ``.toml`` and ``.vblk`` below a folder of `vblk_corpus` is a test: what the file expects must
come true on the device it names, and a violation must not show on `vblk_reference` (the device
without the bug). Collecting reads no file: a broken one is one failed test, and a thousand take no
time. This module imports pytest and nothing else; `demand` runs a file when its turn comes.

Registered as entry point ``pytest11``; configured folders are trusted as test code is: their files
may name device classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest._code.code import ExceptionInfo, TerminalRepr

SUFFIXES: Final = (".toml", ".vblk")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("vblkfuzz", "scenarios of virtio-blk devices")
    group.addoption("--vblk-target", metavar="NAME", help="run scenarios on another target")
    group.addoption(
        "--vblk-device",
        metavar="DEVICE",
        help="run every scenario on this device only, where it must be clean",
    )
    group.addoption(
        "--vblk-mode", metavar="MODE", help="inline or processes; default: inline on the model"
    )
    parser.addini("vblk_corpus", "folders of scenarios to collect", type="paths", default=[])
    parser.addini("vblk_reference", "device on which no scenario fails", default="reference")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """Collect a scenario below a configured folder."""
    if file_path.suffix not in SUFFIXES:
        return None
    folders: list[Path] = parent.config.getini("vblk_corpus")
    if not any(file_path.is_relative_to(folder) for folder in folders):
        return None
    from vblkfuzz.triage.inputs import is_text_of_artifact

    if is_text_of_artifact(file_path):
        return None
    found: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return found


class ScenarioFile(pytest.File):
    """A file with a scenario."""

    def collect(self) -> Iterator[ScenarioItem]:
        """Yield its one test."""
        yield ScenarioItem.from_parent(self, name="scenario")


class ScenarioItem(pytest.Item):
    """One scenario, with what is expected of it."""

    def runtest(self) -> None:
        """Run it.

        Raises:
            VblkfuzzError: the file cannot be read, or there is no verdict.
            Broken: an expectation did not come true.
        """
        from vblkfuzz.pytest_plugin.demand import Choice, check

        option = self.config.getoption
        chosen = Choice(
            option("--vblk-target"),
            option("--vblk-device"),
            option("--vblk-mode"),
            self.config.getini("vblk_reference"),
        )
        check(self._shown_path(), chosen)

    def repr_failure(
        self, excinfo: ExceptionInfo[BaseException], style: str | None = None
    ) -> str | TerminalRepr:
        """Return what a person needs: no traceback of ours."""
        from vblkfuzz.errors import VblkfuzzError
        from vblkfuzz.pytest_plugin.demand import Broken

        if isinstance(excinfo.value, (Broken, VblkfuzzError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where it is and what it is called."""
        return self.path, 0, f"scenario {self._shown_path()}"

    def _shown_path(self) -> str:
        """Return the path as one types it: from here, where it is below."""
        here = self.config.invocation_params.dir
        return str(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)
