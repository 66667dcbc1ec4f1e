"""The command as a process of its own: pipes, signals and imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.waiting import WAIT_S, until
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.text import to_text
from vblkfuzz.targets.activity.stillness import Stillness

pytestmark = pytest.mark.e2e

VBLKFUZZ = [sys.executable, "-m", "vblkfuzz"]


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [*VBLKFUZZ, *map(str, arguments)]
    pipe = subprocess.PIPE
    # With unbuffered output the interpreter's last flush would have nothing to write.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    # A session of its own: a signal can then reach all its processes, as a terminal's Ctrl-C does.
    return subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=env
    )


def running_in_group(group: int) -> list[int]:
    """Return the processes of a group that have not ended, whether or not they were reaped."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):  # it has ended since the listing
            continue
        if int(its_group) == group and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """An input that blocks its reader; opening it for writing returns when a verb reads it."""
    path = tmp_path / "fifo.vblk"
    os.mkfifo(path)
    return path


def test_replay_of_a_finding(finding: Path) -> None:
    with start("replay", finding, "--repeat", "100") as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (77, "")
    assert "  repeated   100/100 the same\n" in out
    assert "\x1b" not in out


def test_show_into_a_pipe(finding: Path, bug: Artifact) -> None:
    with start("show", finding) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.endswith(to_text(bug.scenario, "", bug.expectation, "patch-v4"))


@pytest.mark.parametrize("verb", ["show", "replay"])
def test_a_reader_that_leaves(fifo: Path, bug: Artifact, verb: str) -> None:
    with start(verb, fifo) as process:
        assert process.stdout and process.stderr
        with fifo.open("wb") as file:
            process.stdout.close()
            file.write(dump_artifact(bug))
        assert process.stderr.read() == ""
    assert process.returncode == 141


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    """Interrupt its group once it sleeps in the system call that reads.

    CPython handles a signal that arrives just before a blocking system call only after the call.
    """
    with closing(Stillness(process.pid)) as still:
        assert still.wait(WAIT_S)
    os.killpg(process.pid, signal.SIGINT)


def test_ctrl_c_while_reading(fifo: Path) -> None:
    with start("show", fifo) as process, fifo.open("wb"):
        press_ctrl_c(process)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "")


def test_ctrl_c_with_actors(clean: Path, fifo: Path) -> None:
    with start("replay", "--json", clean, fifo) as process, fifo.open("wb"):
        press_ctrl_c(process)
        out, err = process.communicate()
    assert (process.returncode, err) == (130, "")
    assert out.count("\n") == 1
    until(lambda: not running_in_group(process.pid))  # killed already


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("replay", "--help"),
        ("export", "--help"),
        ("list", "rules"),
        ("list", "devices"),
        ("list", "targets"),
    ],
)
def test_light_verbs_load_neither_engine_nor_processes(arguments: tuple[str, ...]) -> None:
    script = (
        "import sys; from vblkfuzz.cli.app import app; "
        "app(sys.argv[1:], standalone_mode=False); "
        "print(sorted({'atheris', 'multiprocess', 'tomlkit', 'dill'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
