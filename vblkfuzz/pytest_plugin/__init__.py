"""The pytest plugin: the scenario files of a repository as tests.

    [tool.pytest.ini_options]
    testpaths = ["tests", "corpus"]
    vblk_corpus = ["corpus"]

Every ``.toml`` and ``.vblk`` below a folder of `vblk_corpus` is a test. The file's expectation must
hold on the device it names, and an expected violation must not show on `vblk_reference` (a device
without the bug). The file of a device (``on = "device.py:Class"``) is looked for beside the
scenario, then in the folder of the configuration, then in the working directory. That of
`vblk_reference` is looked for in the last two.

Collection does not read the files, so a broken one is one failed test, and a thousand are collected
quickly. This module imports only pytest; `demand` is imported by the first test that runs.

With ``--vblk-store URL`` the findings of a store (`vblkfuzz.store.shared_store`) are tests, too:
each must be clean on `vblk_reference`, or on `--vblk-device`. They are copied to the cache of
pytest, where the printed command replays them; nothing is written to the store.

The plugin is registered as entry point ``pytest11``. Files in configured folders are trusted like
test code: they may name device classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest._code.code import ExceptionInfo, TerminalRepr

SUFFIXES: Final = (".toml", ".vblk")
_INPUT: Final = "vblkfuzz_findings"
"""Of a worker of pytest-xdist: the findings of the store."""
_COPIES: Final = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    group = parser.getgroup("vblkfuzz", "scenarios of virtio-blk devices")
    group.addoption("--vblk-target", metavar="NAME", help="run scenarios on another target")
    group.addoption(
        "--vblk-device",
        metavar="DEVICE",
        help="run every scenario on this device only; it must be clean there",
    )
    group.addoption(
        "--vblk-mode", metavar="MODE", help="inline or processes; default: inline on the model"
    )
    group.addoption(
        "--vblk-store", metavar="URL", help="test the findings of this store, too; a folder or URL"
    )
    parser.addini("vblk_corpus", "folders of scenarios to collect", type="paths", default=[])
    parser.addini("vblk_reference", "device on which no scenario fails", default="reference")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401  # of pytest-xdist
    """Tell a worker of pytest-xdist the findings: all must collect the same tests."""
    config: pytest.Config = node.config
    if store := config.getoption("--vblk-store"):
        if _COPIES not in config.stash:
            config.stash[_COPIES] = _copies(store, config)
        node.workerinput[_INPUT] = config.stash[_COPIES]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the findings of a store. They are in a hidden folder, so no collector gets there."""
    config = session.config
    store: str | None = config.getoption("--vblk-store")
    if not store:
        return
    given: list[str] | None = getattr(config, "workerinput", {}).get(_INPUT)
    for path in _copies(store, config) if given is None else given:
        file: ScenarioFile = ScenarioFile.from_parent(session, path=Path(path))
        items.extend(file.collect())


def _copies(store: str, config: pytest.Config) -> list[str]:
    """Return the paths of copies of the findings of a store."""
    from vblkfuzz.pytest_plugin.stored import copies_of

    return [str(path) for path in copies_of(store, getattr(config, "cache", None))]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """Collect a scenario file below a configured folder."""
    if file_path.suffix not in SUFFIXES:
        return None
    folders: list[Path] = parent.config.getini("vblk_corpus")
    if not any(file_path.is_relative_to(folder) for folder in folders):
        return None
    from vblkfuzz.store.finding_files import has_better

    if has_better(file_path):
        return None
    found: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return found


class ScenarioFile(pytest.File):
    """A file with a scenario."""

    def collect(self) -> Iterator[ScenarioItem]:
        """Yield its one test."""
        yield ScenarioItem.from_parent(self, name="scenario")


class ScenarioItem(pytest.Item):
    """The test of one scenario file."""

    def runtest(self) -> None:
        """Run the scenario.

        Raises:
            VblkfuzzError: the file cannot be read, or there is no verdict.
            Broken: an expectation does not hold.
        """
        from vblkfuzz.pytest_plugin.demand import Choice, check

        option = self.config.getoption
        chosen = Choice(
            option("--vblk-target"),
            option("--vblk-device"),
            option("--vblk-mode"),
            self.config.getini("vblk_reference"),
            self._shown(self._configured_in()),
        )
        check(self._shown(self.path), chosen)

    def repr_failure(
        self, excinfo: ExceptionInfo[BaseException], style: str | None = None
    ) -> str | TerminalRepr:
        """Return the message of an expected failure, without a traceback."""
        from vblkfuzz.errors import VblkfuzzError
        from vblkfuzz.pytest_plugin.demand import Broken

        if isinstance(excinfo.value, (Broken, VblkfuzzError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return path, line and name of the test."""
        return self.path, 0, f"scenario {self._shown(self.path)}"

    def _configured_in(self) -> Path:
        """Return the folder of the configuration file, or pytest's rootdir."""
        return self.config.inipath.parent if self.config.inipath else self.config.rootpath

    def _shown(self, path: Path) -> str:
        """Return a path, relative to the current folder if it is below that."""
        here = self.config.invocation_params.dir
        return str(path.relative_to(here) if path.is_relative_to(here) else path)
