"""Campaigns as a user starts them: the command line in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import WAIT_S

DEVICE = """
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

class Device(VirtioBlk):
{body}
"""


def command(before: str = "") -> tuple[str, ...]:
    """The command line of a campaign; statements in `before` are run first."""
    return (sys.executable, "-c", f"{before}\nfrom vblkfuzz.cli import main; main()", "fuzz")


@dataclass(frozen=True)
class Ended:
    """A campaign that has ended."""

    status: int
    out: Path
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """The last object of ``--json``."""
        summary: dict[str, Any] = json.loads(self.stdout.splitlines()[-1])
        return summary


Start = Callable[..., subprocess.Popen[str]]
Fuzz = Callable[..., Ended]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a campaign; it does not survive the test."""
    running = []

    def start_one(
        *arguments: str | Path,
        out: Path = tmp_path / "out",
        before: str = "",
        minimize: bool = False,
    ) -> subprocess.Popen[str]:
        left = () if minimize else ("--no-minimize",)
        environ = {**os.environ, "TMPDIR": str(tmp_path)}
        environ.pop("FORCE_COLOR", None)
        process = subprocess.Popen(
            # As from a shell, also where the tests run under nohup.
            [
                "env",
                "--default-signal=HUP,TSTP",
                *command(before),
                "--json",
                "--out",
                str(out),
                *left,
                *map(str, arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
            cwd=tmp_path,
        )
        running.append(process)
        return process

    yield start_one
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def fuzz(start: Start, tmp_path: Path) -> Fuzz:
    """Run a campaign to its end."""

    def fuzz_once(
        *arguments: str | Path, out: Path = tmp_path / "out", minimize: bool = False
    ) -> Ended:
        process = start(*arguments, out=out, minimize=minimize)
        stdout, stderr = process.communicate(timeout=WAIT_S)
        return Ended(process.returncode, out, stdout, stderr)

    return fuzz_once


@pytest.fixture
def device_file(tmp_path: Path) -> Callable[[str], str]:
    """Write a device class with a body; return its name for ``--device``."""

    def write(body: str) -> str:
        path = tmp_path / "device.py"
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        path.write_text(DEVICE.format(body=indented))
        return f"{path}:Device"

    return write
