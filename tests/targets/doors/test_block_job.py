"""Block jobs on a connection whose jobs fail as the test says: the disk is left as it was found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from vblkfuzz.limits import MAX_OPS
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.targets.doors.block_job import BlockJobs, Disk
from vblkfuzz.targets.doors.image import Image
from vblkfuzz.targets.qmp import Qmp

DISK = Disk({"driver": "file", "node-name": "disk", "read-only": False}, 4096)
KINDS = ("backup", "commit", "stream")
SUCCESS = ("ready", "pending", "concluded", "null")
FAILURE = ("aborting", "concluded", "null")
LATE_FAILURE = ("ready", "pending", "aborting", "null")


class ScriptedQmp:
    """Answers as QEMU does, but ends the jobs of a command as it was told to."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.nodes: set[str] = {"disk"}
        self.ends: dict[str, list[tuple[str, ...]]] = {}
        """By command: how its next jobs end; by default all succeed."""
        self.refused: set[str] = set()
        self.refuses_next: list[str] = []
        """Commands that are refused once."""
        self._events: list[dict[str, Any]] = []

    async def call(self, command: str, **arguments: str) -> None:
        self.commands.append(command)
        if command == "blockdev-add":
            self.nodes.add(arguments["node_name"])
        elif command == "blockdev-del":
            self.nodes.remove(arguments["node_name"])
        elif "job_id" in arguments:
            ends = self.ends.get(command, [])
            for status in ends.pop(0) if ends else SUCCESS:
                data = {"id": arguments["job_id"], "status": status}
                self._events.append({"event": "JOB_STATUS_CHANGE", "data": data})

    async def attempt(self, command: str, **arguments: str) -> bool:
        once = command in self.refuses_next
        if once:
            self.refuses_next.remove(command)
        if once or command in self.refused:
            self.commands.append(command)
            return False
        await self.call(command, **arguments)
        return True

    async def event(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            event = self._events.pop(0)
            if wanted(event):
                return event


@pytest.fixture
def image() -> Iterator[Image]:
    image = Image()
    yield image
    image.free()


def jobs_of(qmp: ScriptedQmp, image: Image) -> BlockJobs:
    return BlockJobs(cast(Qmp, qmp), image)


def run(qmp: ScriptedQmp, image: Image, kind: str) -> list[str]:
    """Run a job; return the commands that are about jobs and the graph."""
    jobs = jobs_of(qmp, image)
    assert asyncio.run(jobs.run(KINDS.index(kind), DISK)), "the device is on its own node"
    assert qmp.nodes == {"disk"}, "the image has no node afterwards"
    return [one for one in qmp.commands if one.startswith("block") and "-add" not in one]


def test_the_kinds_are_those_of_the_operation() -> None:
    (kind,) = OPS[CODES["block_job"]].params
    assert kind.choices == "|".join(KINDS)


@pytest.mark.parametrize(
    ("kind", "commands"),
    [
        ("backup", ["blockdev-backup"]),
        ("commit", ["blockdev-snapshot", "block-commit"]),
        ("stream", ["blockdev-snapshot", "block-stream", "blockdev-reopen", "blockdev-mirror"]),
    ],
)
def test_a_job_that_succeeds(image: Image, kind: str, commands: list[str]) -> None:
    assert run(ScriptedQmp(), image, kind)[1:-2] == commands


@pytest.mark.parametrize("failure", [FAILURE, LATE_FAILURE], ids=["early", "late"])
@pytest.mark.parametrize(
    ("kind", "back"), [("commit", "block-commit"), ("stream", "blockdev-mirror")]
)
def test_the_way_back_is_tried_again(
    image: Image, kind: str, back: str, failure: tuple[str, ...]
) -> None:
    qmp = ScriptedQmp()
    qmp.ends[back] = [failure, failure]
    assert run(qmp, image, kind).count(back) == 3


def test_a_stream_that_fails_leaves_the_backing_file(image: Image) -> None:
    qmp = ScriptedQmp()
    qmp.ends["block-stream"] = [FAILURE]
    commands = run(qmp, image, "stream")
    assert commands[-3] == "block-commit"
    assert "blockdev-mirror" not in commands


@pytest.mark.parametrize("failures", [MAX_OPS, 1000])
def test_a_way_back_that_fails_often(image: Image, failures: int) -> None:
    """More failures than the backend can cause are as a refusal: the device keeps the overlay."""
    qmp = ScriptedQmp()
    qmp.ends["block-commit"] = [FAILURE] * failures
    jobs = jobs_of(qmp, image)
    returned = asyncio.run(jobs.run(KINDS.index("commit"), DISK))
    assert returned is (failures == MAX_OPS)
    assert qmp.commands.count("block-commit") == MAX_OPS + 1
    assert jobs.failed
    assert image.is_open is not returned


@pytest.mark.parametrize("kind", KINDS)
def test_refused_while_another_job_uses_the_disk(image: Image, kind: str) -> None:
    qmp = ScriptedQmp()
    qmp.refused = {"blockdev-backup", "blockdev-snapshot"}
    assert len(run(qmp, image, kind)) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_a_job_that_still_has_the_image(image: Image, kind: str) -> None:
    """QEMU takes one command before it has freed the job."""
    qmp = ScriptedQmp()
    qmp.refuses_next = ["blockdev-del", "blockdev-mirror", "block-commit"]
    run(qmp, image, kind)


def test_an_image_that_stays_in_use_is_not_opened_again(image: Image) -> None:
    qmp = ScriptedQmp()
    qmp.refused = {"blockdev-del"}
    jobs = jobs_of(qmp, image)
    assert asyncio.run(jobs.run(0, DISK))
    assert jobs.failed
    tried = list(qmp.commands)
    assert asyncio.run(jobs.run(0, DISK))
    assert qmp.commands == tried


@pytest.mark.parametrize(
    ("kind", "back"), [("commit", "block-commit"), ("stream", "blockdev-mirror")]
)
def test_a_way_back_that_is_refused(image: Image, kind: str, back: str) -> None:
    """A way back that has failed has kept a part of the overlay."""
    qmp = ScriptedQmp()
    qmp.refused = {back}
    jobs = jobs_of(qmp, image)
    assert not asyncio.run(jobs.run(KINDS.index(kind), DISK))
    assert jobs.failed
    assert "blockdev-del" not in qmp.commands


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fails", [False, True])
def test_a_failed_job_may_leave_something(image: Image, kind: str, *, fails: bool) -> None:
    qmp = ScriptedQmp()
    commands = {"backup": "blockdev-backup", "commit": "block-commit", "stream": "block-stream"}
    qmp.ends[commands[kind]] = [FAILURE] if fails else []
    jobs = jobs_of(qmp, image)
    asyncio.run(jobs.run(KINDS.index(kind), DISK))
    assert jobs.failed is fails
