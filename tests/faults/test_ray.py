"""What happens to nodes when parts of a Ray cluster are killed. Needs Ray: tox -e cluster.

A campaign of a node ends by SIGTERM when its actor is gone, and its folder is used again. What
nodes have found is in their store, which is no matter of Ray.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.checkout import CHECKOUT
from tests.faults.ray_fleet import NO_RAY
from tests.waiting import WAIT_S, until
from vblkfuzz.store.saved_findings import saved_findings
from vblkfuzz.store.shared_files import FolderFiles
from vblkfuzz.store.shared_store import SharedStore
from vblkfuzz.store.store_summary import summary_of

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
        loopback = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
        self.env = {"PYTHONPATH": path, "RAY_worker_niceness": "0", **token, **loopback}
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
        # Ray says things on stderr, and some begin with a bracket, too.
        rows = [json.loads(line) for line in self.lines() if re.match(r"\[\d+, ", line)]
        return [state for index, state in rows if index == node]

    def runs(self, node: int, *before: int) -> int:
        """Wait until a node runs; return its process id, which is none of `before`."""

        def found() -> list[int]:
            if self.process.poll() == NO_RAY:
                pytest.skip(f"Ray does not start here: {self.lines()[-1]}")
            assert self.process.poll() is None, self.lines()
            states = [state for state in self.states(node) if state and state["pid"]]
            return [state["pid"] for state in states if state["pid"] not in before][-1:]

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


def works(folder: Path, beyond: int = 0, node: int = 0) -> int:
    """Wait until the campaign of a node has more inputs than that; return how many it has."""
    corpus = folder / f"node-{node}" / "corpus"
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
    second = fleet.runs(0, first)
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


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Started]:
    """Two machines with room for two nodes each, and a head with room for none."""
    started = Started(tmp_path / "machines", "machines", "2")
    yield started
    started.end()


def address_of(machines: Started) -> str:
    """Wait for the address of their head."""

    def found() -> list[str]:
        if machines.process.poll() is not None:
            pytest.skip(f"Ray does not start here: {machines.lines()[-1]}")
        return [line for line in machines.lines() if re.fullmatch(r"127\.0\.0\.1:\d+", line)]

    until(found)
    return found()[0]


def raylet_of(campaign: int) -> psutil.Process:
    """Return the process of Ray that stands for the machine of a campaign."""
    (found,) = [one for one in psutil.Process(campaign).parents() if one.name() == "raylet"]
    return found


def has_all(store: SharedStore, out: Path) -> bool:
    """Whether a store has the findings of an output folder."""
    return saved_findings(out) <= set(store.signatures())


def lose(machine: psutil.Process) -> None:
    """Kill all processes of a machine at once."""
    for one in [machine, *machine.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            one.kill()


@pytest.mark.fault(
    "All processes of a machine of a Ray cluster are killed; then those of the last one",
    "Its node goes on on a machine that has room; without one, as soon as there is one. All that "
    "it had told is in the store.",
)
def test_a_machine_is_lost(machines: Started, tmp_path: Path) -> None:
    store = SharedStore(FolderFiles(tmp_path / "store"))
    fleet = Started(tmp_path / "fleet", address_of(machines), str(tmp_path), "2")
    try:
        first = [fleet.runs(node) for node in range(2)]
        lost = raylet_of(first[0])
        assert lost != raylet_of(first[1]), "Ray spreads them"
        until(store.signatures)
        inputs, found = works(tmp_path), store.signatures()
        began = time.monotonic()
        lose(lost)
        second = fleet.runs(0, first[0])
        print(f"on another machine after {time.monotonic() - began:.1f} s")
        last = raylet_of(first[1])
        assert raylet_of(second) == last
        works(tmp_path, beyond=inputs)
        assert set(found) <= set(store.signatures())
        lose(last)
        until(lambda: all(fleet.states(node)[-1] is None for node in range(2)))
        before = [works(tmp_path, node=node) for node in range(2)]
        assert machines.process.stdin is not None
        machines.process.stdin.write(b"another\n")
        machines.process.stdin.flush()
        third = [fleet.runs(node, *first, second) for node in range(2)]
        assert raylet_of(third[0]) == raylet_of(third[1])
        for node, inputs in enumerate(before):
            works(tmp_path, beyond=inputs, node=node)
            until(partial(has_all, store, tmp_path / f"node-{node}"))
        fleet.process.terminate()
        assert fleet.process.wait(WAIT_S) == 0
        assert len(summary_of(store).nodes) == 2
    finally:
        fleet.end()


@pytest.mark.fault(
    "SIGKILL of the raylet of the machine that the command runs on",
    "The command ends with 125 and one line that says so, as Ray ends all its nodes.",
)
def test_ray_of_the_command_is_killed(machines: Started, tmp_path: Path) -> None:
    address = address_of(machines)
    address_is = "--node_ip_address=127.0.0.1"
    raylets = [one for one in descendants(machines.process.pid) if one.name() == "raylet"]
    (own,) = [one for one in raylets if address_is in one.cmdline()]
    fleet = Started(tmp_path / "fleet", address, str(tmp_path), "1")
    try:
        campaign = fleet.runs(0)
        own.kill()
        assert fleet.process.wait(WAIT_S) == 125
        assert "Ray on this machine has ended, and with it all nodes" in fleet.lines()[-1]
        until(lambda: gone(campaign))
    finally:
        fleet.end()
