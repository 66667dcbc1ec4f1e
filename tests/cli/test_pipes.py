"""Inputs that are pipes: no verb waits for one without a word, and signals end the waiting."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.conftest import CLEAN, Cli
from tests.waiting import WAIT_S, until
from vblkfuzz.scenario.text import to_text

NOTHING = "expected a file, found a named pipe (FIFO) that no process writes to"
VERBS = {
    "show": (),
    "replay": (),
    "encode": ("-o", "out.vblk"),
    "minimize": (),
    "explore": (),
    "bisect": (),
    "export": ("--to", "pytest", "-o", "-"),
}
"""The verbs that read an input, with the options that they need."""


@pytest.fixture
def fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    return Path("fifo")


@pytest.mark.parametrize("verb", VERBS)
def test_a_fifo_without_a_writer_is_refused(cli: Cli, fifo: Path, verb: str) -> None:
    done = cli(verb, fifo, *VERBS[verb])
    assert (done.exit_code, done.stderr) == (2, f"vblkfuzz: fifo: {NOTHING}\n")


def test_known_findings_from_a_fifo_without_a_writer(cli: Cli, fifo: Path) -> None:
    done = cli("fuzz", "--runs", 1, "--known", fifo)
    assert (done.exit_code, NOTHING in done.stderr) == (2, True)


def test_a_fifo_with_a_writer_is_read_to_its_end(cli: Cli, fifo: Path) -> None:
    text = to_text(CLEAN)
    more_than_a_pipe_holds = text + "#\n" * (1 << 16)
    held = os.open(fifo, os.O_RDWR)  # so that the writer does not wait for the verb

    def write() -> None:
        fifo.write_text(more_than_a_pipe_holds)  # returns only after the verb has read
        os.close(held)

    writer = Thread(target=write)
    writer.start()
    done = cli("show", fifo)
    writer.join()
    assert (done.exit_code, done.stdout.endswith(text)) == (0, True)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("verb", "number", "status"), [("show", signal.SIGINT, 130), ("minimize", signal.SIGTERM, 72)]
)
def test_a_signal_ends_the_waiting_for_a_pipe(
    tmp_path: Path, verb: str, number: int, status: int
) -> None:
    output = ("-o", str(tmp_path / "small.vblk")) if verb == "minimize" else ()
    command = [sys.executable, "-m", "vblkfuzz", verb, "/dev/stdin", *output]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        until(lambda: _reads_its_stdin(process.pid))
        process.send_signal(number)
        assert process.wait(WAIT_S) == status


def _reads_its_stdin(pid: int) -> bool:
    """Whether a process has opened the file behind its stdin once more."""
    folder = Path(f"/proc/{pid}/fd")
    try:
        links = [os.readlink(one) for one in folder.iterdir()]
    except FileNotFoundError:  # it has closed one meanwhile
        return False
    return links.count(os.readlink(folder / "0")) > 1
