"""docs/tutorial.md: its commands work in order, in an empty folder, and print what it shows."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

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
    environment: dict[str, str]
    place: Path
    """Where a shell writes the folder that it ended in."""

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
        script = f'{commands}\nstatus=$?; pwd > "{self.place}"; exit $status'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        self.folder = Path(self.place.read_text().strip())
        return done.stdout


@pytest.fixture
def reader(tmp_path: Path, environment: dict[str, str]) -> Reader:
    folder = tmp_path / "reader"
    folder.mkdir()
    return Reader(folder, environment, tmp_path / "place")


def test_a_device_of_your_own(reader: Reader) -> None:
    for shown, printed in reader.follow(list(blocks(MODEL))):
        assert missing_lines(shown, printed) == [], printed


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_real_qemu(reader: Reader) -> None:
    for shown, printed in reader.follow(list(blocks(QEMU))):
        assert missing_lines(shown, printed) == [], printed
