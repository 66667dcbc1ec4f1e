"""What happens to nodes when parts of a Ray cluster are killed. Needs Ray: tox -e cluster.

A campaign of a node ends by SIGTERM when its actor is gone, and its folder is used again. What
nodes share, the store, is no matter of Ray; here they have none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.checkout import CHECKOUT
from tests.faults.ray_fleet import NO_RAY
from tests.waiting import WAIT_S, until

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install vblkfuzz[cluster]"),
]
_PROGRAM: Final = (sys.executable, "-m", "tests.faults.ray_fleet")
_HEAD: Final = "gcs_server"


class Started:
    """A process of `ray_fleet`, and what it prints."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        path = f"{CHECKOUT}:{os.environ.get('PYTHONPATH', '')}"
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5" * 64}
        self.env = {"PYTHONPATH": path, "RAY_worker_niceness": "0", **token}
        self._said = (folder / "said").open("w")
        self.process = subprocess.Popen(
            [*_PROGRAM, *arguments],
            env={**os.environ, **self.env},
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def lines(self) -> list[str]:
        """Return the whole lines that it has printed."""
        text = (self.folder / "said").read_text()
        return text[: text.rfind("\n") + 1].splitlines()

    def states(self, node: int) -> list[dict[str, Any] | None]:
        """Return the states of a node, oldest first; None: its actor is gone."""
        rows = [json.loads(line) for line in self.lines() if line.startswith("[")]
        return [state for index, state in rows if index == node]

    def runs(self, node: int, before: int = 0) -> int:
        """Wait until a node runs; return its process id, which is not that of `before`."""

        def found() -> list[int]:
            if self.process.poll() == NO_RAY:
                pytest.skip(f"Ray does not start here: {self.lines()[-1]}")
            assert self.process.poll() is None, self.lines()
            states = [state for state in self.states(node) if state and state["pid"]]
            return [state["pid"] for state in states if state["pid"] != before][-1:]

        until(found)
        return found()[0]

    def end(self) -> None:
        """End it and all that it has started."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._said.close()
        left = descendants(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(WAIT_S)
        for one in left:
            if one.is_running():
                one.kill()


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def gone(pid: int) -> bool:
    """Whether a process has ended; who inherits it need not have taken note of that."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def works(folder: Path, beyond: int = 0) -> int:
    """Wait until the campaign of node 0 has more inputs than that; return how many it has."""
    corpus = folder / "node-0" / "corpus"
    until(lambda: corpus.exists() and len(list(corpus.iterdir())) > beyond)
    return len(list(corpus.iterdir()))


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Started]:
    """One node, on a cluster of its own."""
    started = Started(tmp_path / "fleet", "local", str(tmp_path), "1")
    yield started
    started.end()


@pytest.mark.fault(
    "SIGKILL of the actor of a node on Ray (`cluster`); then SIGTERM of the command",
    "The campaign ends by SIGTERM. Ray starts the actor again, and it goes on in the same folder. "
    "All that Ray has opened is on the loopback interface. At the end nothing is left.",
)
def test_an_actor_is_killed(fleet: Started, tmp_path: Path) -> None:
    first = fleet.runs(0)
    inputs = works(tmp_path)
    tree = descendants(fleet.process.pid)
    assert open_to_others(tree) == []
    actor = psutil.Process(first).parent()
    assert actor is not None
    began = time.monotonic()
    actor.kill()
    second = fleet.runs(0, before=first)
    print(f"back after {time.monotonic() - began:.1f} s")
    assert gone(first)
    assert None in fleet.states(0)
    works(tmp_path, beyond=inputs)
    fleet.process.terminate()
    assert fleet.process.wait(WAIT_S) == 0
    assert json.loads(fleet.lines()[-1]) == {"late": 0}
    until(lambda: gone(second) and not any(one.is_running() for one in tree))


def is_loopback(text: str) -> bool:
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def open_to_others(processes: list[psutil.Process]) -> list[str]:
    """Return what listens on other interfaces than that of this machine alone."""
    found = []
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            for line in one.net_connections("tcp"):
                if line.status == psutil.CONN_LISTEN and not is_loopback(line.laddr.ip):
                    found.append(f"{one.name()} {line.laddr.ip}:{line.laddr.port}")
    return found


@pytest.mark.fault(
    "SIGKILL of the head of a Ray cluster",
    "The command and all campaigns end. The same command goes on in their folders.",
)
def test_the_head_is_killed(fleet: Started, tmp_path: Path) -> None:
    campaign = fleet.runs(0)
    inputs = works(tmp_path)
    tree = descendants(fleet.process.pid)
    (head,) = [one for one in tree if one.name() == _HEAD]
    head.kill()
    assert fleet.process.wait(WAIT_S) != 0
    until(lambda: gone(campaign))
    again = Started(tmp_path / "again", "local", str(tmp_path), "1")
    try:
        again.runs(0)
        works(tmp_path, beyond=inputs)
    finally:
        again.end()
