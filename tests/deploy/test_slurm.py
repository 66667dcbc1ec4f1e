"""The script for Slurm, run by a stand-in for sbatch: options checked, a process for each task."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import Final

import pytest

from tests.checkout import CHECKOUT
from tests.deploy.conftest import Machine
from tests.waiting import WAIT_S, until

SCRIPT: Final = CHECKOUT / "deploy" / "slurm" / "vblkfuzz.sbatch"
FORMS: Final = {
    "job-name": r"[\w-]+",
    "array": r"\d+-\d+(%\d+)?",
    "nodes": r"\d+",
    "ntasks": r"\d+",
    "cpus-per-task": r"\d+",
    "time": r"(\d+-)?\d+:\d+:\d+",
    "requeue": "",
    "open-mode": "append|truncate",
    "output": r"[\w/.%-]+",
    "signal": r"(B:|R:)?[A-Z]+[0-9]*(@\d+)?",
}
"""Options of sbatch(1) that the script may use, and the forms of their values."""


def options() -> dict[str, str]:
    """Return the options in the script's head; sbatch stops to look at the first command."""
    found = {}
    for line in SCRIPT.read_text().splitlines():
        if line.startswith("#SBATCH"):
            name, _, value = line.removeprefix("#SBATCH --").partition("=")
            found[name] = value
        elif line and not line.startswith("#"):
            break
    return found


def task(machine: Machine, index: int, *more: str) -> subprocess.Popen[str]:
    """Start a task of the array as slurmstepd does."""
    given = {
        "STORE": "/srv/store",
        "SLURM_ARRAY_JOB_ID": "7",
        "SLURM_ARRAY_TASK_ID": str(index),
        "SLURM_CPUS_PER_TASK": options()["cpus-per-task"],
    }
    env = {**machine.env, **given}
    return subprocess.Popen([SCRIPT, *more], env=env, stderr=subprocess.PIPE, text=True)


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a task; return its exit status and what it said."""
    with process:
        _, said = process.communicate(timeout=WAIT_S)
    return process.returncode, said


@pytest.fixture
def slurm(machine: Machine) -> Machine:
    machine.add("srun", 'exec "$@"')
    return machine


def test_sbatch_knows_its_options() -> None:
    found = options()
    assert SCRIPT.read_text().count("#SBATCH") == len(found) == len(FORMS)
    for name, value in found.items():
        assert re.fullmatch(FORMS[name], value), name


def test_each_task_is_a_node_with_a_folder_of_its_own(slurm: Machine) -> None:
    slurm.add("vblkfuzz", "exit 0")
    for index in range(3):
        assert end_of(task(slurm, index, "--device", "reference")) == (0, "")
    folders = [f"{slurm.folder}/vblkfuzz-7-{index}" for index in range(3)]
    assert slurm.told("vblkfuzz") == [
        f"fuzz --store /srv/store --out {folder} --workers 4 --device reference"
        for folder in folders
    ]


@pytest.mark.parametrize(
    ("status", "told", "left"), [(0, 0, False), (77, 0, False), (72, 0, False), (125, 125, True)]
)
def test_findings_are_no_failure_and_what_was_not_uploaded_stays(
    slurm: Machine, status: int, told: int, left: bool
) -> None:
    slurm.add("vblkfuzz", f"mkdir -p '{slurm.folder}/vblkfuzz-7-0'; exit {status}")
    assert end_of(task(slurm, 0))[0] == told
    assert (slurm.folder / "vblkfuzz-7-0").exists() == left


def test_sigterm_of_all_processes_waits_for_the_node_to_leave(slurm: Machine) -> None:
    slurm.add(
        "vblkfuzz",
        f"trap 'echo uploaded > {slurm.folder}/uploaded; exit 72' TERM; echo $$ > "
        f"{slurm.folder}/pid; while :; do sleep 0.05; done",
    )
    process = task(slurm, 0)
    pid = slurm.folder / "pid"
    until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    process.terminate()
    os.kill(int(pid.read_text()), signal.SIGTERM)
    assert end_of(process) == (0, "")
    assert (slurm.folder / "uploaded").exists()


def test_without_a_store_it_says_what_to_do(slurm: Machine) -> None:
    done = subprocess.run([SCRIPT], env=slurm.env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "sbatch --export=ALL,STORE=URL" in done.stderr
