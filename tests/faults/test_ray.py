"""What happens to nodes when parts of a Ray cluster are killed. Needs Ray: tox -e cluster.

A campaign of a node ends by SIGTERM when its actor is gone, and its folder is used again. What
nodes share, the store, is no matter of Ray; here they have none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

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
_LOOPBACK: Final = {"127.0.0.1", "::1"}


class Started:
    """A process of `ray_fleet`, and what it prints."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        path = f"{CHECKOUT}:{os.environ.get('PYTHONPATH', '')}"
        self.env = {"PYTHONPATH": path, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5" * 64}
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
        for stream in (self.process.stdin, self._said):
            assert isinstance(stream, IO) or stream is not None
            stream.close()
        left = [*descendants(self.process.pid), psutil.Process(self.process.pid)]
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
    return not psutil.pid_exists(pid)


def log_of(folder: Path) -> str:
    path = folder / "node-0.log"
    return path.read_text() if path.exists() else ""


def works(folder: Path, campaigns: int) -> None:
    """Wait until that many campaigns of a node have said how far they are."""
    until(lambda: log_of(folder).count('"type": "start"') >= campaigns)
    begun = len(log_of(folder))
    until(lambda: '"execs"' in log_of(folder)[begun:])


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Started]:
    """One node, on a cluster of its own."""
    started = Started(tmp_path / "fleet", "local", str(tmp_path), "1")
    yield started
    started.end()
