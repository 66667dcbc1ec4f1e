"""The back-end's answers: late, wrong, and what it says by itself; with our own front-end."""

from __future__ import annotations

import os
import socket

import pytest

from vblkfuzz.scenario.alphabet.backend import MESSAGES, WAYS
from vblkfuzz.targets.vhost.connection import Connection
from vblkfuzz.targets.vhost.fault import BackendFault
from vblkfuzz.targets.vhost.frontend import Frontend
from vblkfuzz.targets.vhost.message import FLAG_REPLY, HEADER, U64, VERSION
from vblkfuzz.targets.vhost_user_frontend.answer import (
    ABOUT,
    ANY,
    CUT,
    FILE,
    LATE,
    RIGHT,
    Conduct,
    Reply,
    send,
)
from vblkfuzz.targets.vhost_user_frontend.disk import FORMS
from vblkfuzz.targets.vhost_user_frontend.process import BackendProcess
from vblkfuzz.targets.vhost_user_frontend.server import Order
from vblkfuzz.trace.vhost_kinds import VHOST_ANSWER, VHOST_CONFIG
from vblkfuzz.virtio.vhost_user import BackendRequest, Request

MACHINE = FORMS.index((64, False))
SEEN = [way for way in WAYS if way not in ("right", "late", "zeroes", "more", "twice", "file")]
"""Ways that a front-end notices when it asks for the number of queues; ones are too many."""


def adopted(backend: BackendProcess) -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        backend.order(Order.ADOPT, MACHINE, fds=(theirs.fileno(),))
    return ours


def ask(line: socket.socket, number: int) -> None:
    line.sendall(HEADER.pack(number, VERSION, 0))


def answer_to(line: socket.socket) -> tuple[int, int]:
    """Return the number of an answer that is one number, and that number."""
    data = line.recv(HEADER.size + U64.size, socket.MSG_WAITALL)
    number, flags, size = HEADER.unpack(data[: HEADER.size])
    assert (flags, size) == (VERSION | FLAG_REPLY, U64.size)
    return number, int(U64.unpack(data[HEADER.size :])[0])


def test_each_message_has_a_number() -> None:
    assert len(ABOUT) == len(MESSAGES)


def test_one_message_is_answered_otherwise() -> None:
    conduct = Conduct()
    conduct.arm(Request.GET_CONFIG, CUT)
    assert conduct.way(Request.GET_FEATURES, asks=False) == RIGHT
    assert conduct.way(Request.GET_CONFIG, asks=False) == CUT
    assert conduct.way(Request.GET_CONFIG, asks=False) == RIGHT


def test_any_message_is_one_with_an_answer() -> None:
    conduct = Conduct()
    conduct.arm(ANY, CUT)
    assert conduct.way(Request.SET_VRING_NUM, asks=False) == RIGHT
    assert conduct.way(Request.SET_VRING_NUM, asks=True) == CUT


@pytest.mark.parametrize("way", range(len(WAYS)), ids=WAYS)
@pytest.mark.parametrize("number", sorted({*ABOUT} - {ANY}))
def test_each_answer_can_be_sent(way: int, number: int) -> None:
    """The payload is long enough for any message: no way makes the back-end fail."""
    ours, theirs = socket.socketpair()
    sizes = {Request.GET_CONFIG: 12 + 60, Request.GET_INFLIGHT_FD: 24}
    payload = bytearray(sizes.get(Request(number), 8))
    if number == Request.GET_CONFIG:
        payload[4] = 60
    file = os.memfd_create("inflight")
    with ours, theirs:
        goes_on = send(theirs, number, Reply(bytes(payload), (file,)), way)
        data, fds, _, _ = socket.recv_fds(ours, 4096, 8)
    assert len(data) >= HEADER.size
    assert (len(fds) == 0) == (way == FILE)
    assert goes_on == (way != CUT)
    for fd in fds:
        os.close(fd)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(file)


@pytest.mark.parametrize("way", SEEN)
def test_our_front_end_notices(backend: BackendProcess, way: str) -> None:
    backend.order(Order.ANSWER, Request.GET_QUEUE_NUM, WAYS.index(way))
    line = Connection(adopted(backend))
    if way == "ones":
        Frontend(line).greet()
    else:
        with pytest.raises(BackendFault):
            Frontend(line).greet()
    line.close()
    told = [one for one in backend.log.take() if one.kind == VHOST_ANSWER]
    assert [(one.flag, one.value) for one in told] == [(WAYS.index(way), Request.GET_QUEUE_NUM)]


@pytest.mark.parametrize("order", [Order.LATE, Order.RELEASE, Order.ANSWER])
def test_a_late_answer_waits_for_its_time(backend: BackendProcess, order: Order) -> None:
    backend.order(Order.ANSWER, Request.GET_QUEUE_NUM, LATE)
    with adopted(backend) as line:
        ask(line, Request.GET_QUEUE_NUM)
        backend.order(Order.SYNC)
        assert backend.log.owes(MACHINE)
        line.setblocking(False)
        with pytest.raises(BlockingIOError):
            line.recv(1)
        line.setblocking(True)
        backend.order(order)
        assert answer_to(line) == (Request.GET_QUEUE_NUM, 4)
        assert not backend.log.owes(MACHINE)


def test_it_may_end_while_the_front_end_waits(backend: BackendProcess) -> None:
    backend.order(Order.ANSWER, ANY, LATE)
    with adopted(backend) as line:
        ask(line, Request.GET_FEATURES)
        backend.order(Order.SYNC)
        backend.order(Order.CUT)
        assert line.recv(1) == b""
    assert not backend.log.owes(MACHINE)


def test_a_message_that_nobody_knows_ends_the_connection(backend: BackendProcess) -> None:
    with adopted(backend) as line:
        ask(line, Request.GET_MAX_MEM_SLOTS)
        assert line.recv(1) == b""


@pytest.mark.parametrize(("status", "flag"), [(0, 1), (1, 2)])
def test_a_resize_is_told(backend: BackendProcess, status: int, flag: int) -> None:
    ours, theirs = socket.socketpair()
    with adopted(backend) as line, ours:
        with theirs:
            message = HEADER.pack(Request.SET_BACKEND_REQ_FD, VERSION, 0)
            socket.send_fds(line, [message], [theirs.fileno()])
        backend.order(Order.RESIZE, 6)
        number, _, size = HEADER.unpack(ours.recv(HEADER.size))
        assert (number, size) == (BackendRequest.CONFIG_CHANGE_MSG, 0)
        ours.sendall(HEADER.pack(number, VERSION | FLAG_REPLY, U64.size) + U64.pack(status))
        backend.order(Order.SYNC)
    told = [one for one in backend.log.take() if one.kind == VHOST_CONFIG]
    assert [(one.flag, one.value) for one in told] == [(0, 7), (flag, 7)]


def test_a_resize_without_a_channel_is_not_told(backend: BackendProcess) -> None:
    with adopted(backend) as line:
        backend.order(Order.RESIZE, 6)
        ask(line, Request.GET_QUEUE_NUM)
        assert answer_to(line)[1] == 4
    assert not [one for one in backend.log.take() if one.kind == VHOST_CONFIG]
