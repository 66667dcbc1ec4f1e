"""A node is kept running: what is killed starts again, what ends by itself does not.

The campaign is a shell script in the place of Python, so that a test decides what it does.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import WAIT_S, until
from vblkfuzz.errors import ExitStatus
from vblkfuzz.launch import node as node_module
from vblkfuzz.launch.node import Node, NodePlan, NodeState

RUNS = 'echo runs; trap "exit 72" TERM; while :; do sleep 0.05; done'

Start = Callable[[str], Node]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return a function that makes a node whose campaign is a script."""
    nodes: list[Node] = []

    def make(script: str) -> Node:
        program = tmp_path / "program"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/told\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        nodes.append(Node(NodePlan(str(tmp_path / "nodes" / "0"), ("--store", "here"))))
        return nodes[-1]

    yield make
    for one in nodes:
        one.leave()


def told(folder: Path) -> list[str]:
    path = folder / "told"
    return path.read_text().splitlines() if path.exists() else []


def runs(folder: Path, times: int = 1) -> None:
    """Wait until the script has said that many times that it runs."""
    log = folder / "nodes" / "0.log"
    until(lambda: log.exists() and log.read_text().count("runs") >= times)


def end_of(node: Node) -> NodeState:
    """Wait until a campaign has ended, and stays so."""
    until(lambda: node.keep(None).status is not None)
    return node.keep(None)


def test_it_runs_vblkfuzz_on_its_folder_with_the_time_that_is_left(
    start: Start, tmp_path: Path
) -> None:
    state = start(RUNS).keep(90.4)
    runs(tmp_path)
    (line,) = told(tmp_path)
    assert line == (
        f"-m vblkfuzz.launch.node_process {os.getpid()} fuzz --store here "
        f"--out {tmp_path}/nodes/0 --max-total-time 90"
    )
    assert (state.starts, state.status, state.problem) == (1, None, "")


def test_without_a_limit_it_is_given_none(start: Start, tmp_path: Path) -> None:
    start(RUNS).keep(None)
    runs(tmp_path)
    assert "--max-total-time" not in told(tmp_path)[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_campaign_that_somebody_ends_starts_again(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    node = start(RUNS)
    first = node.keep(None)
    runs(tmp_path)
    os.kill(first.pid, number)
    until(lambda: node.keep(None).starts == 2)
    assert node.keep(None).pid != first.pid
    runs(tmp_path, times=2)


@pytest.mark.parametrize("status", [0, 2, 77, 125])
def test_a_campaign_that_ends_by_itself_stays_so(start: Start, status: int) -> None:
    node = start(f"echo the last line; exit {status}")
    node.keep(None)
    state = end_of(node)
    assert (state.starts, state.status, state.problem) == (1, status, "the last line")


def test_after_the_time_nothing_is_started(start: Start, tmp_path: Path) -> None:
    assert start(RUNS).keep(0) == NodeState(socket.gethostname())
    assert told(tmp_path) == []


def test_who_leaves_ends_by_sigterm_and_is_not_started_again(start: Start, tmp_path: Path) -> None:
    node = start(RUNS)
    node.keep(None)
    runs(tmp_path)
    assert node.leave().status == ExitStatus.INTERRUPTED
    assert node.keep(None).starts == 1


def test_who_does_not_leave_is_killed(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "LEAVE_S", 0.1)
    node = start('trap "" TERM; echo runs; while :; do sleep 0.05; done')
    node.keep(None)
    runs(tmp_path)
    assert node.leave().status == -signal.SIGKILL


def test_a_new_supervisor_waits_for_the_former_campaign(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "LEAVE_S", 0.1)
    first = start(RUNS)
    pid = first.keep(None).pid
    runs(tmp_path)
    second = start(RUNS)
    assert second.keep(None).problem.endswith("a former process of this node is alive")
    os.kill(pid, signal.SIGKILL)
    until(lambda: second.keep(None).starts == 1)


def test_a_folder_that_cannot_be_made_is_said(start: Start, tmp_path: Path) -> None:
    node = start(RUNS)
    (tmp_path / "nodes").write_text("a file")
    assert "File exists" in node.keep(None).problem


def test_a_campaign_gets_sigterm_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    """The real one: it ends in order, as its last line and its ledger say."""
    supervisor = (
        "import sys, time; from vblkfuzz.launch.node import Node, NodePlan\n"
        "given = ('--mode', 'inline', '--workers', '1', '--device', 'reference', '--json')\n"
        "node = Node(NodePlan(sys.argv[1], given))\n"
        "print(node.keep(None).pid, flush=True); time.sleep(9999)"
    )
    out = tmp_path / "0"
    with subprocess.Popen(
        [sys.executable, "-c", supervisor, str(out)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        log = tmp_path / "0.log"
        until(lambda: '"execs"' in log.read_text())
        process.kill()
        process.wait(WAIT_S)
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert '"status": 72' in log.read_text().splitlines()[-1]
