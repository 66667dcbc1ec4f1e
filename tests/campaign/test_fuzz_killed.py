"""Workers that are killed, crash or are stuck: the campaign goes on without a gap in its books."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.campaign.conftest import Start
from tests.campaign.family import children, family
from tests.waiting import WAIT_S, until
from vblkfuzz.limits import STUCK_LIMIT_S

pytestmark = pytest.mark.e2e


def test_a_killed_worker_is_replaced(start: Start, tmp_path: Path) -> None:
    process = start("--workers", "1", "--seed", "5", "--device", "reference")
    until(lambda: len(family(process.pid)) == 5)
    corpus = tmp_path / "out" / "corpus"
    until(lambda: len(list(corpus.iterdir())) > 5)
    (worker,) = children(process.pid)
    os.kill(worker, signal.SIGKILL)
    until(lambda: len(family(process.pid)) == 5 and children(process.pid) != [worker])
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    assert '"restarts": 1' in stdout
    assert "was ended by signal 9 from outside" in stderr
    assert list((tmp_path / "out" / "harness").iterdir()) == [], "its input is not to blame"


def test_workers_killed_at_once_are_started_again(start: Start, tmp_path: Path) -> None:
    """All of them, before their first verdict; all runs are done nevertheless."""
    process = start("--workers", "2", "--seed", "5", "--runs", "400", "--device", "reference")
    killed: set[int] = set()
    while len(killed) < 2:
        until(lambda: set(children(process.pid)) - killed)
        (worker, *_) = set(children(process.pid)) - killed
        os.kill(worker, signal.SIGKILL)
        killed.add(worker)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    summary = json.loads(stdout.splitlines()[-1])
    assert (summary["execs"], summary["restarts"], summary["waiting"]) == (400, 2, 0)
    assert stderr.count("was ended by signal 9 from outside") >= 2
    assert process.returncode == 0


def test_an_input_that_crashes_a_worker_is_kept(start: Start, tmp_path: Path) -> None:
    process = start("--workers", "1", "--seed", "5", "--device", "reference")
    corpus = tmp_path / "out" / "corpus"
    until(lambda: len(family(process.pid)) == 5 and len(list(corpus.iterdir())) > 5)
    (worker,) = children(process.pid)
    os.kill(worker, signal.SIGABRT)
    until(lambda: len(family(process.pid)) == 5 and children(process.pid) != [worker])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT_S)
    assert len(list((tmp_path / "out" / "harness").glob("*.vblk"))) == 1


def test_a_worker_that_is_stuck_is_replaced(start: Start, tmp_path: Path) -> None:
    """The limit is over when the test says so, once: a start may take long on a busy machine."""
    over = tmp_path / "over"
    limit = (
        "import os\n"
        "from vblkfuzz.launch import local\n"
        "class Told:\n"
        "    def __init__(self, seconds): assert seconds == local.STUCK_LIMIT_S\n"
        "    @property\n"
        "    def over(self):\n"
        f"        return os.path.exists({str(over)!r}) and not os.unlink({str(over)!r})\n"
        "local.Patience = Told"
    )
    process = start("--workers", "1", "--seed", "5", "--device", "reference", before=limit)
    until(lambda: len(family(process.pid)) == 5)
    corpus = tmp_path / "out" / "corpus"
    until(lambda: len(list(corpus.iterdir())) > 5)
    (worker,) = children(process.pid)
    os.kill(worker, signal.SIGSTOP)
    over.touch()
    until(lambda: len(family(process.pid)) == 5 and children(process.pid) != [worker])
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    assert '"restarts": 1' in stdout
    assert f"ran nothing for {STUCK_LIMIT_S:g} s and was ended" in stderr


def named(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_an_input_is_not_to_blame_for_a_device_that_is_killed(start: Start, tmp_path: Path) -> None:
    # A scheduler has inputs of its own run: one that cannot be is no error.
    plain = ("--schedulers", "input")
    process = start("--workers", "1", "--seed", "5", "--device", "reference", *plain)
    corpus = tmp_path / "out" / "corpus"
    until(lambda: len(family(process.pid)) == 5 and len(list(corpus.iterdir())) > 5)
    (device,) = (pid for pid in family(process.pid) if named(pid) == "vblk-device")
    os.kill(device, signal.SIGKILL)
    until(lambda: len(family(process.pid)) == 5 and device not in family(process.pid))
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    summary = json.loads(stdout.splitlines()[-1])
    assert (summary["harness_errors"], summary["restarts"]) == (1, 0)
    assert "the device process was ended by signal 9" in stderr
    assert list((tmp_path / "out" / "harness").iterdir()) == []
