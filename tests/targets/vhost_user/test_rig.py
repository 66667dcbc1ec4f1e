"""Any back-end as a target: a storage daemon by command and by socket, and unusable ones."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.conformance.leftovers import await_end, descendants, nothing_left
from tests.targets.qsd.binary import NEEDS_QSD
from tests.targets.vhost_user.backend import DAEMON
from tests.waiting import WAIT_S, until
from vblkfuzz.errors import DeviceLost, DeviceUnavailable, ExitStatus, UsageError, VblkfuzzError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.vhost_user.target import vhost_user_target
from vblkfuzz.trace.kinds import PUSH

WRITE = op("publish_kick", request="out", sector=3)
PLAIN = Scenario(ops=(op("init"), WRITE, op("collect"), op("reset"), op("init"), WRITE))
BROKEN = Scenario(ops=(op("init"), op("hostile", content="loop"), op("reset"), op("init"), WRITE))
FOUR = Scenario(DeviceConfig(queues=4), (op("init"), op("publish_kick", queue=3)))


def by_command(command: str) -> TargetOptions:
    return TargetOptions(vhost_user_command=command)


def serve_all(options: TargetOptions) -> None:
    """Run scenarios until each was served twice.

    A scenario does not wait for a daemon that is slow, as on a busy machine: such a run is clean,
    but shows nothing.
    """
    with vhost_user_target("vhost-user-blk", "processes", options) as target:

        def serves(scenario: Scenario) -> bool:
            execution = run_scenario(target, scenario)
            assert execution.verdict.clean
            return PUSH in [event.kind for event in execution.trace.events]

        for scenario in (PLAIN, BROKEN, FOUR) * 2:
            until(partial(serves, scenario))


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_daemon_by_command() -> None:
    with nothing_left():
        serve_all(by_command(DAEMON))


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_daemon_by_socket_runs_on(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with subprocess.Popen(shlex.split(DAEMON.replace("{socket}", str(path)))) as daemon:
        until(lambda: path.is_socket() and listens(path))
        try:
            with nothing_left():
                serve_all(TargetOptions(vhost_user_socket=str(path)))
            assert daemon.poll() is None
        finally:
            daemon.kill()


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def backends() -> list[psutil.Process]:
    return [process for process in descendants() if "qemu-storage" in process.name()]


def end(backend: psutil.Process, number: signal.Signals) -> None:
    os.kill(backend.pid, number)
    until(lambda: backend.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_back_end_that_was_killed_is_no_finding() -> None:
    options = by_command(DAEMON)
    with nothing_left(), vhost_user_target("vhost-user-blk", "processes", options) as target:
        (backend,) = backends()
        end(backend, signal.SIGKILL)
        with pytest.raises(DeviceLost) as raised:
            target.run(PLAIN)
        assert "\n" not in str(raised.value)
        assert raised.value.exit_status == ExitStatus.HARNESS
        assert run_scenario(target, PLAIN).verdict.clean


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_back_end_that_has_crashed_is_one() -> None:
    options = by_command(DAEMON)
    with nothing_left(), vhost_user_target("vhost-user-blk", "processes", options) as target:
        (backend,) = backends()
        end(backend, signal.SIGSEGV)
        found = [one.rule for one in run_scenario(target, PLAIN).verdict.violations]
        assert found == ["CRASH"]
        assert run_scenario(target, PLAIN).verdict.clean


USELESS = {
    "not there": ("/none/such {socket}", "/none/such: cannot be run: No such file"),
    "ends at once": ("sh -c 'echo no luck >&2; exit 3'", "it ended without listening.*: no luck"),
    "names no socket": ("sleep 60", "no socket after .*does it name {socket}"),
    "open quote": ("backend 'x", "backend 'x: No closing quotation"),
    "nothing": (" ", "expected a command line, found nothing"),
}


@pytest.mark.parametrize("case", USELESS)
def test_a_command_that_is_no_use(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command, problem = USELESS[case]
    # Only the one that goes on is ended by the limit.
    limit = 0.2 if case == "names no socket" else WAIT_S
    monkeypatch.setattr("vblkfuzz.targets.vhost_user.rig.DEVICE_LIMIT_S", limit)
    refused(by_command(command), problem)


def test_a_socket_that_is_no_use(tmp_path: Path) -> None:
    refused(TargetOptions(vhost_user_socket=str(tmp_path / "none")), "none: expected the socket")
    dead = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(dead))
    refused(TargetOptions(vhost_user_socket=str(dead)), "dead: no process listens: Connection ref")


def test_no_back_end_at_all() -> None:
    refused(TargetOptions(), "name a back-end by --vhost-user-socket or --vhost-user-command")


def refused(options: TargetOptions, problem: str) -> None:
    with nothing_left(), pytest.raises(VblkfuzzError) as raised:
        vhost_user_target("vhost-user-blk", "processes", options).__enter__()
    assert isinstance(raised.value, DeviceUnavailable | UsageError)
    assert re.search(problem, str(raised.value))
    assert "\n" not in str(raised.value)


def test_no_folder_survives_a_user_killed_at_start_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    program = (
        "from vblkfuzz.targets.options import TargetOptions\n"
        "from vblkfuzz.targets.vhost_user.target import vhost_user_target\n"
        "options = TargetOptions(vhost_user_command='sleep 600')\n"
        "vhost_user_target('vhost-user-blk', 'processes', options).__enter__()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as user:
        await_folders(tmp_path, 1)
        below = set(psutil.Process(user.pid).children(recursive=True))
        user.kill()
    await_end(below)
    await_folders(tmp_path, 0)


def await_folders(folder: Path, count: int) -> None:
    until(lambda: len(list(folder.iterdir())) == count)
