"""Every command of the pages parses, and works in order or stands in not_run.toml with a reason."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT, source_copy
from tests.cli.test_app import parse
from tests.docs.commands import NOT_RUN, PAGES, commands, invocations, why_not_run

TUTORIAL = CHECKOUT / "docs" / "tutorial.md"
PLAYED = [page for page in PAGES if page != TUTORIAL]
ALL = {command for page in PAGES for command in commands(page)}
SHORT = {
    "--max-total-time 60": "--runs 1500 --stop-on-first --no-minimize --seed 1 --workers 1",
    "--runs 20000": "--runs 20",
    "--runs 2000 ": "--runs 20 ",
    "--repeat 20": "--repeat 2",
    "--budget 8m": "--budget 8m --runs 20 --workers 1 --out ci-out",
}
"""Budgets that a test does not wait for. A campaign without one gets a small one."""
WORKED = (0, 1, 77)
"""Also: the tests that show a bug fail, a violation was found."""

pytestmark = pytest.mark.e2e


def name(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_its_commands_parse(page: Path) -> None:
    calls = [words for command in commands(page) for words in invocations(command)]
    for words in calls:
        if len(words) > 1:  # else the folder of a checkout
            parse(words)


@pytest.mark.parametrize("pattern", NOT_RUN)
def test_a_reason_has_its_command(pattern: str) -> None:
    assert any(fnmatchcase(command, pattern) for command in ALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout as far as pages name its files, with what they say that a reader has."""
    for part in ("corpus", "fuzz"):
        (tmp_path / part).symlink_to(CHECKOUT / part)
    scenario = CHECKOUT / "corpus" / "regress" / "s1-reset-in-drain" / "scenario.toml"
    shutil.copy(scenario, tmp_path / "scenario.toml")
    (tmp_path / "known.txt").write_text("*\n")
    (tmp_path / "my-corpus").mkdir()
    return tmp_path


@dataclass
class Shell:
    """A folder, and what its commands are run with."""

    folder: Path
    environment: dict[str, str]

    def run(self, command: str) -> None:
        """Run a command with a small budget; it must have worked."""
        done = subprocess.run(
            ["bash", "-c", self.shortened(command)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode in WORKED, said

    def shortened(self, command: str) -> str:
        """Return a command with a small budget, and with the name of a finding."""
        for long, short in SHORT.items():
            command = command.replace(long, short)
        if command.startswith("vblkfuzz fuzz "):  # a reader would take another folder
            budget = "" if "--runs" in command else "--runs 20 --workers 1 --no-minimize "
            command = command.replace("fuzz fuzz ", f"fuzz fuzz --other-device {budget}")
        if "SIGNATURE" in command:
            findings = self.folder / "vblkfuzz-out" / "findings"
            command = command.replace("SIGNATURE", min(path.name for path in findings.iterdir()))
        return command


@pytest.mark.parametrize("page", PLAYED, ids=name)
def test_its_commands_work(page: Path, folder: Path, environment: dict[str, str]) -> None:
    todo = [command for command in commands(page) if not why_not_run(command)]
    if page.parent.name == "own_device":
        folder = source_copy(page.parent, folder / "own_device")
    before = []
    if any("my_device/" in command for command in todo):
        before = [one for one in ["vblkfuzz new my_device"] if one not in todo]
    if page.parent.name != "own_device" and any("vblkfuzz-out" in command for command in todo):
        # It has the finding that the pages name, whatever the seed leads to.
        start = CHECKOUT / "corpus" / "regress" / "s1-reset-in-drain"
        options = f"--runs 300 --seed 1 --workers 1 --no-minimize --corpus {start}"
        before.append(f"vblkfuzz fuzz {options}")
    for command in [*before, *todo]:
        Shell(folder, environment).run(command)
