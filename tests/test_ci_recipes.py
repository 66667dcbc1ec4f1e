"""The recipes in docs/ci.md do what the page says, with a budget of a few executions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import vblkfuzz
from tests.checkout import CHECKOUT, source_copy
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.targets.qemu.binary import find_qemu

PAGE = (CHECKOUT / "docs" / "ci.md").read_text()
COMMAND = re.compile(r"^(?:\s*- (?:run: )?)?(vblkfuzz ci .*)$", re.MULTILINE)
COMMANDS = COMMAND.findall(PAGE)
SMALL = "--budget 1h --runs 20 --workers 1 --seed 1 --mode inline"

pytestmark = pytest.mark.e2e


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the page in a folder, as a shell there does after the installation."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    program = programs / "vblkfuzz"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vblkfuzz "$@"\n')
    program.chmod(0o755)
    package = str(Path(vblkfuzz.__file__).parent.parent)
    paths = [package, os.environ.get("PYTHONPATH", "")]
    env = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": ":".join(filter(None, paths)),
    }
    return subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def own_device(tmp_path: Path) -> Path:
    return source_copy(CHECKOUT / "examples" / "own_device", tmp_path / "own_device")


def test_the_page_has_a_command_for_each_recipe() -> None:
    assert len(COMMANDS) == 4
    assert all("--budget 8m" in command for command in COMMANDS)
    for report in re.findall(r"(?:junit|sarif_file): (\S+)", PAGE):
        assert any(f" {report}" in command for command in COMMANDS)


@pytest.mark.parametrize("command", [one for one in COMMANDS if "--device" in one])
def test_a_recipe_for_a_device(command: str, own_device: Path) -> None:
    done = run(command.replace("--budget 8m", SMALL), own_device)
    assert done.returncode == 0, done.stderr
    (report,) = re.findall(r"--(?:junit|sarif) (\S+)", command)
    text = (own_device / report).read_text()
    if report.endswith(".xml"):
        assert list(ElementTree.fromstring(text).iter("testcase"))
    assert ('"results": []' in text) != report.endswith(".xml")


@pytest.mark.realdevice
@NEEDS_QEMU
def test_the_recipe_for_a_qemu(tmp_path: Path) -> None:
    (command,) = [one for one in COMMANDS if "--target qemu" in one]
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "qemu-system-x86_64").symlink_to(find_qemu(""))
    (tmp_path / "known.txt").write_text("*\n")
    small = SMALL.replace("inline", "processes").replace("20", "5")
    done = run(command.replace("--budget 8m", small), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["1..1", "ok 1 - campaign"]
