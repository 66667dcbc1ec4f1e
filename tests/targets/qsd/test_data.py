"""Data that the guest reads through a real storage daemon is judged wherever the disk is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.nbd.disk import Disks
from vblkfuzz.targets.nbd.protocol import Command, Errno, NbdRequest
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.witness import Witness

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
LOOK = op("collect")
Execute = Callable[[Disks, str, NbdRequest], tuple[int, bytes]]


@pytest.fixture(scope="module")
def target() -> Iterator[RealTarget]:
    with qsd_target("vhost-user-blk", "processes", TargetOptions()) as target:
        yield target


def run(target: RealTarget, *ops: Op, event_idx: bool = True) -> Execution:
    return run_scenario(target, Scenario(DeviceConfig(event_idx=event_idx), (op("init"), *ops)))


def disk_is_known(execution: Execution) -> bool:
    return Witness.DISK in execution.trace.witnesses


def test_what_was_written_is_read(target: RealTarget) -> None:
    execution = run(target, READ, LOOK, WRITE, LOOK, READ, LOOK)
    assert execution.verdict.clean
    assert disk_is_known(execution)
    assert "data_read_back" in execution.verdict.situations


def lost(execute: Execute, disks: Disks, name: str, request: NbdRequest) -> tuple[int, bytes]:
    if request.command == Command.WRITE:
        return Errno.OK, b""
    return execute(disks, name, request)


def elsewhere(execute: Execute, disks: Disks, name: str, request: NbdRequest) -> tuple[int, bytes]:
    if request.command == Command.WRITE:
        request = request._replace(offset=request.offset + 512)
    return execute(disks, name, request)


def mixed(execute: Execute, disks: Disks, name: str, request: NbdRequest) -> tuple[int, bytes]:
    if request.command == Command.WRITE:
        request = request._replace(data=request.data[:-1] + b"\x00")
    return execute(disks, name, request)


@pytest.mark.parametrize(
    ("fault", "signature"),
    [(lost, "s14-stale"), (elsewhere, "s14-stale"), (mixed, "s14-unwritten")],
)
def test_a_backend_that_breaks_data(
    fault: Callable[..., tuple[int, bytes]], signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Disks.execute
    monkeypatch.setattr(Disks, "execute", lambda *of: fault(good, *of))
    with qsd_target("vhost-user-blk", "processes", TargetOptions()) as target:
        assert run(target, READ, LOOK, WRITE, LOOK).verdict.clean
        execution = run(target, WRITE, LOOK, READ, LOOK)
        assert [one.signature for one in execution.verdict.violations] == [signature]
        assert run(target, WRITE, LOOK, READ, LOOK, event_idx=False).verdict.clean, "not asked"


@pytest.mark.parametrize("result", ["ok", "eio"])
def test_a_write_that_fails_may_have_been_done_or_not(target: RealTarget, result: str) -> None:
    fails = (op("hold"), WRITE, op("complete", which="all", result=result), op("release"))
    execution = run(target, *fails, LOOK, READ, LOOK)
    assert execution.verdict.clean
    assert disk_is_known(execution)


@pytest.mark.parametrize("begin", [op("drain_begin"), op("mirror_begin")])
def test_a_mirror_job_beside_requests_may_copy_what_is_old(target: RealTarget, begin: Op) -> None:
    """Both nodes of the job are the same disk."""
    assert disk_is_known(run(target, WRITE, begin, READ))
    assert not disk_is_known(run(target, op("hold"), WRITE, begin, op("release")))
    assert not disk_is_known(run(target, op("publish", request="out"), begin))


def test_a_request_that_outlives_its_rings(target: RealTarget) -> None:
    assert disk_is_known(run(target, WRITE, op("reset")))
    execution = run(target, op("hold"), WRITE, op("reset"), op("release"))
    assert not disk_is_known(execution) or execution.verdict.clean
