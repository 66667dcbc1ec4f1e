"""How the device process of a real target ends, and what is left then: nothing.

A target's own test module names its rig and its processes; see tests/targets/qsd/test_ends.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.conformance.leftovers import await_end, descendants, nothing_left
from vblkfuzz.errors import DeviceLost, DeviceUnavailable, ExitStatus, HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.child import Child
from vblkfuzz.targets.handover import Handover
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.targets.target import Target

PLAIN = Scenario(ops=(op("init"), op("publish_kick"), op("collect")))
KILLED = Scenario(ops=(op("init"), op("start_fail"), op("publish_kick"), op("stop")))


def processes(name: str) -> set[psutil.Process]:
    """Our device processes: those whose name begins so."""
    return {process for process in descendants() if process.name().startswith(name)}


class Killing:
    """For a rig: sends its device process a signal where a real one has nothing to do."""

    process = ""
    """Beginning of the name of its device processes."""
    number = signal.SIGKILL

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        if operation.name == "start_fail":
            self.strike()
        return super().perform(operation, recorder)  # type: ignore[misc, no-any-return]  # the rig's

    def strike(self) -> None:
        for process in processes(self.process):
            os.kill(process.pid, self.number)


class EndsContract:
    """Tests that any real target passes."""

    target: str
    """Its name, its device and the function that makes it, for a program of its own."""
    device: str
    module: str
    rig: type[Killing]
    crew: int
    """Processes of a target that has been started."""
    hang: str
    """Signature of a device that stops while nobody asks it anything but the operator."""

    binary: str
    """Its program."""

    def options(self, binary: str) -> TargetOptions:
        """Name another program."""
        raise NotImplementedError  # the suite of each target has its own

    def factory(self, options: TargetOptions) -> Target:
        """Make the target."""
        raise NotImplementedError  # the suite of each target has its own

    def killing_target(self) -> RealTarget:
        """Make one on `rig`."""
        raise NotImplementedError  # the suite of each target has its own

    @pytest.fixture
    def killing(self) -> Iterator[RealTarget]:
        with nothing_left(), self.killing_target() as target:
            yield target

    def test_somebody_killed_it_which_is_no_finding(self, killing: RealTarget) -> None:
        for _ in range(3):
            with pytest.raises(DeviceLost):
                killing.run(KILLED)
            assert run_scenario(killing, PLAIN).verdict.clean

    @pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
    def test_it_crashes_which_is_one(
        self, killing: RealTarget, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(self.rig, "number", number)
        execution = run_scenario(killing, KILLED)
        assert [one.rule for one in execution.verdict.violations] == ["CRASH"]
        assert execution.verdict.violations[0].signature.startswith(f"crash-{number.name.lower()}")
        assert f"signal {int(number)}" in execution.trace.report
        again = run_scenario(killing, KILLED)
        assert again.verdict.violations[0].signature == execution.verdict.violations[0].signature
        assert run_scenario(killing, PLAIN).verdict.clean

    def test_it_hangs_which_is_one(
        self, killing: RealTarget, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hang_by_stop(monkeypatch)
        monkeypatch.setattr(self.rig, "number", signal.SIGSTOP)
        execution = run_scenario(killing, KILLED)
        assert [one.signature for one in execution.verdict.violations] == [self.hang]
        assert run_scenario(killing, PLAIN).verdict.clean

    def test_it_is_stopped_from_outside_which_is_none(
        self, killing: RealTarget, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(self.rig, "number", signal.SIGSTOP)
        with pytest.raises(DeviceLost, match="stopped from outside"):
            killing.run(KILLED)
        assert run_scenario(killing, PLAIN).verdict.clean

    def test_a_script_without_exec_is_refused(self, tmp_path: Path) -> None:
        """Its own threads sleep while the device works: nothing that they show is true."""
        path = script(tmp_path, f'{self.binary} "$@"; exit $?')
        check_unusable(self.factory(self.options(path)), "binary: the script runs .* exec$")
        path = script(tmp_path, f'exec {self.binary} "$@"')
        with nothing_left(), self.factory(self.options(path)) as target:
            assert run_scenario(target, PLAIN).verdict.clean

    def test_nothing_survives_a_killed_user(self) -> None:
        """SIGKILL leaves no time to clean up: the kernel has to do it."""
        made = f"{self.module}.target import {self.target}_target as make"
        program = (
            "import time\n"
            "from vblkfuzz.targets.options import TargetOptions\n"
            f"from {made}\n"
            f"with make({self.device!r}, 'processes', TargetOptions()):\n"
            "    print('ready', flush=True)\n"
            "    time.sleep(600)\n"
        )
        command = [sys.executable, "-c", program]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as user:
            assert user.stdout is not None
            try:
                assert user.stdout.readline() == "ready\n"
                below = set(psutil.Process(user.pid).children(recursive=True))
            finally:
                user.kill()
        await_end(below)
        assert len(below) == self.crew

    def test_killed_processes_of_ours_are_replaced(self) -> None:
        with nothing_left(), self.factory(TargetOptions()) as target:
            for ours in descendants() - processes(self.rig.process):
                with suppress(psutil.NoSuchProcess):  # it has ended with the one before it
                    ours.kill()
                await_end([ours])
                with suppress(HarnessError):
                    target.run(PLAIN)
                assert run_scenario(target, PLAIN).verdict.clean


def hang_by_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make SIGSTOP look like a hang: all threads sleep for good, and none is stopped."""
    monkeypatch.setattr(Child, "is_stopped", False)


def check_unusable(target: Target, problem: str) -> None:
    """Check that a target does not start, and says in one line why."""
    with nothing_left(), pytest.raises(DeviceUnavailable, match=problem) as raised:
        target.__enter__()
    assert "\n" not in str(raised.value)
    assert raised.value.exit_status == ExitStatus.HARNESS


def script(folder: Path, text: str) -> str:
    """Write a program that stands in for a binary; return its path."""
    path = folder / "binary"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)
