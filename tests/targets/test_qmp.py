"""A QMP connection: whether it has ended, and that it keeps no events."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("qemu.qmp", reason="pip install 'vblkfuzz[qemu]'")

from qemu.qmp import EventListener

from vblkfuzz.targets.qmp import Qmp

TALKATIVE = 3
"""Events with each answer."""


def connected() -> tuple[Qmp, socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    qmp = Qmp.__new__(Qmp)  # skips the greeting: only the socket matters here
    qmp._connection = ours
    return qmp, ours, theirs


def test_an_open_connection_is_not_cut() -> None:
    qmp, ours, theirs = connected()
    assert not qmp.is_cut
    ours.close()
    theirs.close()


def test_the_other_side_has_closed() -> None:
    qmp, ours, theirs = connected()
    theirs.close()
    assert qmp.is_cut
    ours.close()


def test_the_client_has_closed_its_end_after_the_other_side() -> None:
    qmp, ours, theirs = connected()
    theirs.close()
    ours.close()
    assert qmp.is_cut


def talk(theirs: socket.socket) -> None:
    """Answer every command, and send events with each answer, as QEMU does around a job."""
    version = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}
    event = {"event": "JOB_STATUS_CHANGE", "data": {}, "timestamp": {"seconds": 1}}

    def say(*messages: object) -> None:
        theirs.sendall("".join(json.dumps(one) + "\r\n" for one in messages).encode())

    with theirs:
        say({"QMP": {"version": version, "capabilities": []}})
        theirs.recv(4096)  # qmp_capabilities, before which there are no events
        say({"return": {}})
        while command := theirs.recv(4096):  # one at a time
            say(*[event] * TALKATIVE, {"return": {}, "id": json.loads(command)["id"]})


@pytest.fixture
def talking() -> Iterator[Qmp]:
    ours, theirs = socket.socketpair()
    other = threading.Thread(target=talk, args=(theirs,))
    other.start()
    qmp = Qmp(ours)
    yield qmp
    ours.shutdown(socket.SHUT_RDWR)
    qmp.close()
    other.join()


def kept(qmp: Qmp) -> tuple[int, int, int, int]:
    gc.collect()
    listeners = [each for each in gc.get_objects() if isinstance(each, EventListener)]
    events = sum(len(listener.history) for listener in listeners)
    registered = len(qmp._client._listeners)
    return registered, len(listeners), events, len(asyncio.all_tasks(qmp._loop))


def test_nothing_piles_up_over_many_scenarios(talking: Qmp) -> None:
    async def work() -> None:
        await talking.call("job-finalize")
        await talking.event(lambda event: event["event"] == "JOB_STATUS_CHANGE")

    def scenario() -> None:
        talking.forget_events()
        talking.execute("query-status")
        talking.wait(lambda event: event["event"] == "JOB_STATUS_CHANGE")
        talking.finish(talking.begin(work()))
        talking.pump()

    scenario()
    before = kept(talking)
    for _ in range(200):
        scenario()
    assert kept(talking) == before
