"""docs/tutorial.md: its commands work in order, in an empty folder, and print what it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

import vblkfuzz
from tests.checkout import CHECKOUT
from tests.docs.page_blocks import Block, blocks, missing_lines
from tests.targets.qemu.binary import NEEDS_QEMU

MODEL, _, QEMU = (CHECKOUT / "docs" / "tutorial.md").read_text().partition("## A real QEMU\n")
INSTALLS = "pip install"
"""In a block that is not run: the tests run where it has been installed."""
BUDGETS = {"--max-total-time 60": "--runs 10 --no-minimize"}
"""What a test does not wait for, and what it does instead."""

pytestmark = pytest.mark.e2e


@dataclass
class Reader:
    """Does what the page says, in a shell for each block."""

    folder: Path
    """The folder that the reader is in."""
    programs: Path

    def follow(self, page: list[Block]) -> Iterator[tuple[str, str]]:
        """Do it all; yield what each text shows, and what was printed."""
        for block, after in pairwise([*page, Block("", "", "")]):
            if block.language == "sh" and INSTALLS not in block.text:
                printed = self.run(block.text)
                yield (after.text if after.language == "text" else ""), printed
            elif block.language != "sh" and block.title:
                (self.folder / block.title).write_text(block.text)

    def run(self, commands: str) -> str:
        """Run the commands of a block, and stay in the folder that they go to."""
        for long, short in BUDGETS.items():
            commands = commands.replace(long, short)
        place = self.programs / "folder"
        script = f'{commands}\nstatus=$?; pwd > "{place}"; exit $status'
        package = str(Path(vblkfuzz.__file__).parent.parent)
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={"PATH": f"{self.programs}:{os.environ['PATH']}", "PYTHONPATH": package},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        self.folder = Path(place.read_text().strip())
        return done.stdout


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    programs, folder = tmp_path / "bin", tmp_path / "reader"
    programs.mkdir()
    folder.mkdir()
    # As installed; the plugin of pytest too, which an installation would register.
    for name, words in (
        ("vblkfuzz", "-m vblkfuzz"),
        ("pytest", "-m pytest -pvblkfuzz.pytest_plugin -pno:cacheprovider"),
    ):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (programs / name).chmod(0o755)
    return Reader(folder, programs)


def test_a_device_of_your_own(reader: Reader) -> None:
    for shown, printed in reader.follow(list(blocks(MODEL))):
        assert missing_lines(shown, printed) == [], printed


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_real_qemu(reader: Reader) -> None:
    for shown, printed in reader.follow(list(blocks(QEMU))):
        assert missing_lines(shown, printed) == [], printed
