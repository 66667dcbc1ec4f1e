"""A QMP connection: what it sends, hears and keeps, and whether it has ended."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import WAIT_S
from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.activity.stillness import Stillness
from vblkfuzz.targets.begun import pause
from vblkfuzz.targets.qmp import Qmp, Refused
from vblkfuzz.targets.qmp_connection import QmpConnection

TALKATIVE = 3
"""Events with each answer."""
GREETING = {"QMP": {"version": {}, "capabilities": ["oob"]}}
EVENT = {"event": "JOB_STATUS_CHANGE", "data": {}, "timestamp": {"seconds": 1}}


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    yield near, far
    near.close()
    far.close()


@pytest.mark.parametrize(("closed", "is_cut"), [("", False), ("far", True), ("far near", True)])
def test_whether_the_other_side_has_closed_it(
    sockets: tuple[socket.socket, socket.socket], closed: str, is_cut: bool
) -> None:
    line = QmpConnection(sockets[0])
    assert not line.is_cut
    if "far" in closed:
        sockets[1].close()
    if "near" in closed:
        line.close()
    assert line.is_cut == is_cut


@given(st.lists(st.integers(0, 400), max_size=8))
def test_messages_may_come_in_any_pieces(cuts: list[int]) -> None:
    near, far = socket.socketpair()
    line = QmpConnection(near)
    with far:
        answers = [line.send("one", {}), line.send("two", {"a-b": 1})]
        messages = [GREETING, EVENT, {"return": 1}, EVENT, {"error": {"desc": "no"}}]
        data = "".join(json.dumps(one) + "\r\n" for one in messages).encode()
        places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
        for start, end in pairwise(places):
            far.sendall(data[start:end])
            assert line.receive(0) == (end > start)
        sent = far.recv(4096)
    assert sent == b'{"execute":"one"}{"execute":"two","arguments":{"a-b":1}}'
    assert [(one.came, one.value, one.refusal) for one in answers] == [
        (True, 1, None),
        (True, None, "no"),
    ]
    assert (line.greeting, list(line.events)) == (GREETING["QMP"], [EVENT, EVENT])
    assert (line.heard, line.ended) == (len(messages), "")
    assert not line.receive(0), "the other side has closed"
    assert line.ended
    line.close()


@pytest.mark.parametrize("words", [b"no json", b"[]", b'{"return": {}}', b"1", b'{"a": 1}', b'""'])
def test_no_message_ends_it(sockets: tuple[socket.socket, socket.socket], words: bytes) -> None:
    line = QmpConnection(sockets[0])
    sockets[1].sendall(words + b"\n")
    line.receive(WAIT_S)
    assert "no QMP message" in line.ended


def talk(far: socket.socket) -> None:
    """Answer every command, and send events with each answer, as QEMU does around a job."""

    def say(*messages: object) -> None:
        far.sendall("".join(json.dumps(one) + "\r\n" for one in messages).encode())

    with far:
        say(GREETING)
        far.recv(4096)  # qmp_capabilities, before which there are no events
        say({"return": {}})
        while data := far.recv(4096):
            for command in data.decode().split("}{"):
                if "refuse" in command:
                    say({"error": {"class": "GenericError", "desc": "no"}})
                elif "end" in command:
                    return
                else:
                    say(*[EVENT] * TALKATIVE, {"return": {}})


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


def is_event(event: dict[str, object]) -> bool:
    return event["event"] == "JOB_STATUS_CHANGE"


def test_nothing_piles_up_over_many_scenarios(talking: Qmp) -> None:
    async def work() -> None:
        await talking.call("job-finalize")
        await talking.event(is_event)

    for _ in range(200):
        talking.forget_events()
        talking.execute("query-status")
        talking.run(talking.event(is_event))
        talking.run(work())
        assert talking.finished(talking.begin(work()), WAIT_S)
        talking.pump()
        line = talking._line
        assert len(line.events) <= 3 * TALKATIVE
        assert (len(line._due), line._rest, talking._begun) == (0, b"", [])


def test_several_works_go_on_beside_each_other(talking: Qmp) -> None:
    done = []

    async def work(name: int) -> None:
        await talking.event(is_event)  # which the last one causes
        await pause(0.001 * name)
        done.append(name)

    begun = [talking.begin(work(name)) for name in range(TALKATIVE)]
    assert not talking.pump()
    talking.execute("query-status")
    assert all(talking.finished(one, WAIT_S) for one in begun)
    assert done == [0, 1, 2]


def test_a_refusal_is_told_from_the_end_of_the_connection(talking: Qmp) -> None:
    with pytest.raises(Refused, match="no"):
        talking.execute("refuse")
    assert not talking.run(talking.attempt("refuse"))
    with pytest.raises(DeviceLost, match="connection has ended"):
        talking.execute("end")
    with pytest.raises(DeviceLost, match="connection has ended"):
        talking.run(talking.event(is_event))
    with pytest.raises(DeviceLost, match="connection has ended"):
        talking.pump()
    assert talking.is_cut


def test_work_that_is_given_up_leaves_later_answers_in_order(talking: Qmp) -> None:
    begun = talking.begin(talking.call("query-status"))
    talking.pump()
    begun.cancel()
    with pytest.raises(Refused):
        talking.execute("refuse")
    assert talking.execute("query-status") == {}
