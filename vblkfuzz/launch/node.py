"""A node: one `vblkfuzz fuzz --store` on this machine, started again when it is killed.

For launchers that do not do that themselves (`launch.ray`); systemd, Slurm and Kubernetes do.

The process ends when its supervisor ends, in whatever way: the kernel then sends it SIGTERM, so it
uploads what it has and leaves (`launch.node_process`). A supervisor that is started anew waits for
that: until the former process is gone, that process, and it alone, holds the lock of the node.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final, NamedTuple

from vblkfuzz.errors import ExitStatus, HarnessError
from vblkfuzz.launch.bounded_log import bound

LEAVE_S: Final = 10.0
"""Seconds after SIGTERM within which a node uploads and leaves."""
_LOOK_S: Final = 0.05
"""Seconds between two attempts to take the lock."""
_END_BYTES: Final = 4096
"""How much of the end of a log is searched for its last line."""


class NodePlan(NamedTuple):
    """What a node is told."""

    folder: str
    """Its local folder; beside it are its log (``.log``) and its lock (``.lock``)."""
    arguments: tuple[str, ...]
    """Of `vblkfuzz fuzz`, the store among them, without folder and time."""


class NodeState(NamedTuple):
    """What a node tells."""

    host: str
    pid: int = 0
    """Process id of its campaign; 0: there was none yet."""
    starts: int = 0
    """How often this supervisor has started it."""
    status: int | None = None
    """Exit status of a campaign that has ended, and stays so; None: it runs, or will."""
    problem: str = ""
    """Why it does not run, or the last line it said before it ended; empty: none."""


class Node:
    """Keeps the process of a node running. Its methods are called in the main thread.

    The kernel watches the thread that starts the process, not the whole supervisor.
    """

    def __init__(self, plan: NodePlan) -> None:
        self._plan = plan
        self._host = socket.gethostname()
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._left = False

    def keep(self, seconds: float | None) -> NodeState:
        """Start the campaign if it does not run and has not ended by itself; return its state.

        Args:
            seconds: limit of a campaign that is started now; None: no limit. If it is not positive,
                none is started.
        """
        try:
            if self._wants_start() and (seconds is None or seconds > 0):
                self._start(seconds)
            elif self._process is not None:
                bound(self._log)
        except (OSError, HarnessError) as error:
            return NodeState(self._host, starts=self._starts, problem=str(error))
        return self._state()

    def leave(self) -> NodeState:
        """Ask the campaign to upload and leave, and kill it after LEAVE_S; return its state.

        It is not started again.
        """
        self._left = True
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self._state()

    def _wants_start(self) -> bool:
        """Whether there is no process, or it was ended by somebody else."""
        if self._left:
            return False
        status = self._process.poll() if self._process else -1
        return status is not None and (status < 0 or status == ExitStatus.INTERRUPTED)

    def _start(self, seconds: float | None) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        limit = ("--max-total-time", f"{seconds:.0f}") if seconds is not None else ()
        command = ["fuzz", *self._plan.arguments, "--out", self._plan.folder, *limit]
        with self._locked() as lock, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vblkfuzz.launch.node_process", str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock.fileno(),),
                start_new_session=True,  # ctrl-C is for the launcher
            )
        self._starts += 1

    def _locked(self) -> IO[str]:
        """Return the lock of this node, held; the process inherits it and holds it alone then.

        Raises:
            HarnessError: a former process of this node does not end.
            OSError: the file cannot be made.
        """
        path = Path(f"{self._plan.folder}.lock")
        lock = path.open("a", encoding="ascii")
        deadline = time.monotonic() + 2 * LEAVE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock.close()
                    raise HarnessError(f"{path}: a former process of this node is alive") from None
                time.sleep(_LOOK_S)
            else:
                return lock

    @property
    def _log(self) -> Path:
        return Path(f"{self._plan.folder}.log")

    def _state(self) -> NodeState:
        if self._process is None:
            return NodeState(self._host)
        status = self._process.poll()
        ended = status is not None and not self._wants_start()
        return NodeState(
            self._host,
            self._process.pid,
            self._starts,
            status if ended else None,
            self._last_line() if ended else "",
        )

    def _last_line(self) -> str:
        """Return the last line of the log; empty: there is none."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - _END_BYTES))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
