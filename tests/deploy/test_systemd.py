"""The unit by systemd's own check, and the script by a stand-in for ssh."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.checkout import CHECKOUT
from tests.deploy.conftest import Machine

FOLDER: Final = CHECKOUT / "deploy" / "systemd"
UNIT: Final = FOLDER / "vblkfuzz@.service"
HOSTS: Final = "one\n\n# two\nthree"
"""Without the end of its last line, as some editors leave it."""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("mistake", ["", "RestartSecs=5\n"])
def test_systemd_understands_the_unit(tmp_path: Path, mistake: str) -> None:
    program = "/opt/vblkfuzz/bin/vblkfuzz"
    text = UNIT.read_text()
    assert program in text
    unit = tmp_path / UNIT.name
    text = text.replace(program, sys.executable)  # systemd looks whether it is there
    unit.write_text(text.replace("RestartSec=5\n", mistake or "RestartSec=5\n"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if UNIT.name.partition("@")[0] in line]
    assert bool(said) == bool(mistake), done.stderr


def nodes(machine: Machine, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a file of hosts."""
    (machine.folder / "hosts").write_text(HOSTS)
    return subprocess.run(
        [FOLDER / "nodes.sh", *arguments],
        cwd=machine.folder,
        env=machine.env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_install_copies_unit_and_settings_to_each_host_and_starts_a_node(machine: Machine) -> None:
    machine.add("ssh", 'cat >> "$TMPDIR/sent"')
    done = nodes(machine, "install", "hosts", "/srv/a store", "4")
    assert (done.returncode, done.stdout, done.stderr) == (0, "--- one\n--- three\n", "")
    settings = 'STORE="/srv/a store"\nWORKERS="4"\n'
    assert (machine.folder / "sent").read_text() == 2 * (UNIT.read_text() + settings)
    told = machine.told("ssh")
    assert len(told) == 6
    assert all(" one " in line for line in told[:3])
    assert all(" three " in line for line in told[3:])
    assert told[2].endswith("systemctl enable --now vblkfuzz@0.service")


@pytest.mark.parametrize("verb", ["start", "stop", "status"])
def test_a_host_that_does_not_answer_is_named_and_the_others_are_done(
    machine: Machine, verb: str
) -> None:
    machine.add("ssh", 'case "$*" in *" one "*) exit 255 ;; esac')
    done = nodes(machine, verb, "hosts")
    assert (done.returncode, done.stderr) == (1, "one: failed\n")
    assert machine.told("ssh")[1].endswith(f" three sudo systemctl {verb} vblkfuzz@0.service")


@pytest.mark.parametrize("arguments", [(), ("install", "hosts"), ("wrong", "hosts")])
def test_wrong_arguments_show_the_right_ones(machine: Machine, arguments: tuple[str, ...]) -> None:
    done = nodes(machine, *arguments)
    assert done.returncode == 2
    assert "install HOSTS URL WORKERS" in done.stderr


def test_a_file_that_is_not_there_is_named(machine: Machine) -> None:
    done = nodes(machine, "start", "nowhere")
    assert (done.returncode, done.stderr.partition(":")[0]) == (2, "nowhere")
