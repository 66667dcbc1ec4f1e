"""A QMP connection: whether it has ended, and that it keeps no events."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from qemu.qmp import EventListener

from tests.waiting import WAIT_S
from vblkfuzz.targets.activity.stillness import Stillness
from vblkfuzz.targets.qmp import Qmp

TALKATIVE = 3
"""Events with each answer."""


def connected() -> tuple[Qmp, socket.socket, socket.socket]:
    near, far = socket.socketpair()
    qmp = Qmp.__new__(Qmp)  # skips the greeting: only the socket matters here
    qmp._connection = near
    return qmp, near, far


def test_an_open_connection_is_not_cut() -> None:
    qmp, near, far = connected()
    assert not qmp.is_cut
    near.close()
    far.close()


def test_the_other_side_has_closed() -> None:
    qmp, near, far = connected()
    far.close()
    assert qmp.is_cut
    near.close()


def test_the_client_has_closed_its_end_after_the_other_side() -> None:
    qmp, near, far = connected()
    far.close()
    near.close()
    assert qmp.is_cut


def talk(far: socket.socket) -> None:
    """Answer every command, and send events with each answer, as QEMU does around a job."""
    version = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}
    event = {"event": "JOB_STATUS_CHANGE", "data": {}, "timestamp": {"seconds": 1}}

    def say(*messages: object) -> None:
        far.sendall("".join(json.dumps(one) + "\r\n" for one in messages).encode())

    with far:
        say({"QMP": {"version": version, "capabilities": []}})
        far.recv(4096)  # qmp_capabilities, before which there are no events
        say({"return": {}})
        while command := far.recv(4096):  # one at a time
            say(*[event] * TALKATIVE, {"return": {}, "id": json.loads(command)["id"]})


@pytest.fixture
def talking() -> Iterator[Qmp]:
    near, far = socket.socketpair()
    other = threading.Thread(target=talk, args=(far,))
    other.start()
    qmp = Qmp(near, Stillness(os.getpid()))
    yield qmp
    near.shutdown(socket.SHUT_RDWR)
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
        talking.run(talking.event(lambda event: event["event"] == "JOB_STATUS_CHANGE"))
        talking.run(work())
        assert talking.finished(talking.begin(work()), WAIT_S)
        talking.pump()

    scenario()
    before = kept(talking)
    for _ in range(200):
        scenario()
    assert kept(talking) == before
