"""A campaign to which a test does something bad: its processes, events, books and leftovers.

Each process of the campaign has a mark in its environment, so that all are found, whatever session
or parent they have. stdout (``--json``) and stderr are files, so that one can read what a
killed campaign has said.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from tests.faults.disk import Disk
from tests.waiting import WAIT_S, until
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.store.history import LEDGER, CampaignRecord, read_history

_MARK: Final = "VBLKFUZZ_FAULT"
_PROGRAM: Final = (sys.executable, "-c", "from vblkfuzz.cli import main; main()")
_AS_A_SHELL: Final = ("env", "--default-signal=HUP,INT,TSTP")
"""Signals do what they do in a shell, also where the tests run under nohup."""
_MODULES: Final = {
    b"vblkfuzz.campaign.worker": "worker",
    b"vblkfuzz.campaign.minimizer": "minimizer",
}
ROLES: Final = ("orchestrator", "worker", "vblk-zygote", "vblk-device", "vblk-guest")
"""Roles of processes that there are all the time, once a campaign has begun."""
NO_CHANGE: Final[Mapping[str, str | None]] = {}


@dataclass(frozen=True, order=True)
class Running:
    """A process of a campaign that has not ended."""

    role: str
    """orchestrator, worker, minimizer, vblk-zygote, vblk-device, vblk-guest, or its program."""
    pid: int


@dataclass(frozen=True)
class Ended:
    """A campaign that has ended by itself."""

    status: int
    events: list[dict[str, Any]]
    stderr: str

    @property
    def end(self) -> dict[str, Any]:
        """The last object of ``--json``."""
        assert self.events and self.events[-1]["event"] == "end", self.stderr
        return self.events[-1]


class Campaign:
    """A campaign that can be started again in its output folder.

    Args:
        folder: an empty one; it becomes the working directory, and has TMPDIR, HOME and the output
            folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.disk: Disk | None = None
        """Where the output folder is, if it is not on a disk of this machine."""
        self.tmp, self.home = folder / "tmp", folder / "home"
        self.aside = folder / "aside"
        """A name for what a test needs besides; not made."""
        for path in (self.tmp, self.home):
            path.mkdir()
        self._process: subprocess.Popen[bytes] | None = None
        self._mark = secrets.token_hex(8)
        self._starts = 0

    # --- Running --------------------------------------------------------------------------------

    def start(
        self,
        *arguments: str | Path,
        through: Sequence[str] = (),
        environ: Mapping[str, str | None] = NO_CHANGE,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> None:
        """Start it.

        Args:
            arguments: of ``fuzz``.
            through: a command that runs another one, such as ``unshare``.
            environ: variables that differ from ours; None: not set.
            stdout: where ``--json`` goes instead of its file.
            stderr: the same.
        """
        self._starts += 1
        there = self.disk.through if self.disk else ()
        command = (*_PROGRAM, "fuzz", "--json", "--out", str(self.out))
        with self._said("stdout").open("wb") as out, self._said("stderr").open("wb") as err:
            self._process = subprocess.Popen(
                [*_AS_A_SHELL, *there, *through, *command, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=stdout or out,
                stderr=stderr or err,
                cwd=self.folder,
                env=self._environ(environ),
                start_new_session=True,
            )

    def run(self, *arguments: str | Path, **how: Any) -> Ended:  # noqa: ANN401  # of `start`
        """Start it and wait for its end."""
        self.start(*arguments, **how)
        return self.ended()

    def use(self, disk: Disk) -> None:
        """Have the output folder on a disk."""
        self.disk, self.out = disk, disk.folder / "out"

    def ended(self) -> Ended:
        """Wait for the end."""
        status = self.process.wait(WAIT_S)
        return Ended(status, self.events(), self.stderr())

    def stop(self, number: int = signal.SIGINT) -> Ended:
        """Send a signal to the orchestrator and wait for the end."""
        self.process.send_signal(number)
        return self.ended()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The orchestrator, as it was started last."""
        assert self._process is not None
        return self._process

    def alter(self, code: str) -> dict[str, str | None]:
        """Return variables with which each Python process of the campaign runs `code` first."""
        folder = self.aside
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(code)
        return {"PYTHONPATH": os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", "")))}

    def _environ(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        own = {"TMPDIR": str(self.tmp), "HOME": str(self.home), _MARK: self._mark}
        environ = {**os.environ, **own, **changes}
        return {name: value for name, value in environ.items() if value is not None}

    # --- What it says ---------------------------------------------------------------------------

    def _said(self, stream: str) -> Path:
        return self.folder / f"{stream}-{self._starts}"

    def events(self) -> list[dict[str, Any]]:
        """The objects of ``--json`` so far."""
        lines = self._said("stdout").read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def stderr(self) -> str:
        """What the orchestrator has said to people so far."""
        return self._said("stderr").read_text()

    def until(self, condition: Callable[[], object]) -> None:
        """Return as soon as `condition()` is true; fail if the campaign ends before."""

        def met() -> bool:
            ended = self.process.poll() is not None
            if condition():
                return True
            assert not ended, f"ended with {self.process.returncode}: {self.stderr()}"
            return False

        until(met)

    def under_way(self) -> None:
        """Wait until it has found something."""
        self.until(lambda: any(event["event"] == "finding" for event in self.events()))

    def goes_on(self) -> None:
        """Wait until it has an input that it had not when this was called."""
        before = self.inputs()
        self.until(lambda: self.inputs() - before)

    # --- Its processes --------------------------------------------------------------------------

    def processes(self) -> list[Running]:
        """All its processes that have not ended, by role."""
        return sorted(self._running())

    def roles(self) -> list[str]:
        """The roles of all its processes, sorted."""
        return [one.role for one in self.processes()]

    def _running(self) -> list[Running]:
        mark, found = f"{_MARK}={self._mark}".encode(), []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended, or it is another user's
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    found.append(Running(self._role(path), int(path.name)))
        return found

    def _role(self, path: Path) -> str:
        name = (path / "comm").read_text().strip()
        if int(path.name) == self.process.pid:
            return "orchestrator"
        if name.startswith("vblk-"):
            return name
        arguments = (path / "cmdline").read_bytes().split(b"\0")
        roles = [role for module, role in _MODULES.items() if module in arguments]
        return roles[0] if roles else name

    def kill_all(self) -> None:
        """Kill all its processes; return when they are gone."""
        while left := self.processes():
            for one in left:
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(WAIT_S)

    # --- What it leaves -------------------------------------------------------------------------

    def seen(self, path: Path) -> Path:
        """Return where the test finds a path of the campaign."""
        return self.disk.seen(path) if self.disk else path

    def inputs(self) -> set[str]:
        """Names of the files in the corpus."""
        return {path.name for path in (self.seen(self.out) / "corpus").glob("[!.]*")}

    def findings(self) -> set[str]:
        """Signatures of the findings on disk."""
        return {path.name for path in (self.seen(self.out) / "findings").glob("[!.]*")}

    def record(self) -> CampaignRecord:
        """The last campaign, as its ledger says."""
        if not self.disk:
            return read_history(self.out / LEDGER).campaigns[-1]
        with tempfile.TemporaryDirectory() as copy:
            for file in self.seen(self.out).glob(f"{LEDGER}*"):
                shutil.copy(file, copy)
            return read_history(Path(copy, LEDGER)).campaigns[-1]

    def check_nothing_left(self) -> None:
        """Check that neither a process nor a file outside the output folder is left."""
        until(lambda: not self.processes())
        assert list(self.tmp.iterdir()) == [], "in TMPDIR"
        assert list(self.home.iterdir()) == [], "in HOME"
        ours = {"tmp", "home", "aside", "device.py", "__pycache__", self.out.name}
        others = {path.name for path in self.folder.iterdir()} - ours
        assert [name for name in others if not name.startswith(("stdout-", "stderr-"))] == []

    def check_files(self) -> None:
        """Check that each file is whole: inputs, findings, no unfinished one."""
        for path in (self.seen(self.out) / "corpus").iterdir():
            digest = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
            assert path.name == digest, "an input that is not what was written"
        for finding in (self.seen(self.out) / "findings").iterdir():
            expected = read_input(finding / "finding.vblk").expectation
            assert expected is not None
            assert finding.name.partition("@")[0] == expected.signature
            assert all(path.stat().st_size for path in finding.iterdir())
        assert list(self.seen(self.out).glob("**/.tmp-*")) == []

    def check_books(self, ended: Ended) -> None:
        """Check that ledger, ``--json`` and folder say the same of the last campaign."""
        self.check_files()
        record = self.record()
        assert (record.status, record.ended is None) == (ended.status, False)
        end = ended.end
        assert (record.execs, record.violations) == (end["execs"], end["violations"])
        told = {finding["signature"] for finding in end["findings"]}
        assert set(record.findings) == told | set(end.get("seen_again", ()))
        assert set(record.findings) <= self.findings()
        assert end["saved"] == len(self.findings())

    def check_status(self) -> None:
        """Check that ``status`` can read the folder."""
        done = self.verb("status", str(self.out))
        assert (done.returncode, done.stderr) == (0, "")

    def verb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another verb to its end."""
        command = [*_PROGRAM, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
