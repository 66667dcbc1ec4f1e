"""A qtest connection: many posted commands, one receive; what is refused, and its end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from vblkfuzz.targets.qemu.qtest import QTest

READS = b"OK 0x000000000000002a\n"


@pytest.fixture
def line() -> Iterator[tuple[QTest, socket.socket]]:
    near, far = socket.socketpair()
    qtest = QTest(near)
    yield qtest, far
    qtest.close()
    far.close()


def answer(far: socket.socket, *parts: bytes) -> Thread:
    """Send parts of an answer, one by one, as QEMU does; return the thread that does it."""

    def send() -> None:
        for part in parts:
            far.sendall(part)

    thread = Thread(target=send)
    thread.start()
    return thread


def test_posted_commands_are_sent_with_the_one_that_reads(
    line: tuple[QTest, socket.socket],
) -> None:
    qtest, far = line
    qtest.post("outl 0xcf8 0x1")
    qtest.post("writel 0x8 0x2")
    sender = answer(far, b"OK\n", b"O", b"K\nOK 0x00000000", b"0000002a\n")
    assert qtest.ask("readl 0x8") == 42
    sender.join()
    assert far.recv(100) == b"outl 0xcf8 0x1\nwritel 0x8 0x2\nreadl 0x8\n"
    far.sendall(READS)
    assert qtest.ask("readb 0x9") == 42
    assert far.recv(100) == b"readb 0x9\n"


def test_several_that_read_are_sent_in_one_go(line: tuple[QTest, socket.socket]) -> None:
    qtest, far = line
    qtest.post("outl 0xcf8 0x1")
    sender = answer(far, b"OK\nOK\n", b"OK 0x0000000", b"2\nOK\nOK 0x0000002a\n")
    assert qtest.ask_all(("writel 0x8 0", "readl 0x4", "writel 0x8 1", "readl 0x4")) == [2, 42]
    sender.join()
    sent = b"outl 0xcf8 0x1\nwritel 0x8 0\nreadl 0x4\nwritel 0x8 1\nreadl 0x4\n"
    assert far.recv(100) == sent


def test_a_flush_without_posted_commands_sends_nothing(line: tuple[QTest, socket.socket]) -> None:
    qtest, far = line
    qtest.flush()
    qtest.post("outl 0xcf8 0x1")
    far.sendall(b"OK\n")
    qtest.flush()
    qtest.flush()
    assert far.recv(100) == b"outl 0xcf8 0x1\n"


@pytest.mark.parametrize(
    "answers",
    [(b"FAIL no\n", b"OK\n", READS), (b"OK\n", b"ERR\n", READS), (b"OK\n", b"OK\n", b"E\n")],
)
def test_each_command_may_be_refused(
    line: tuple[QTest, socket.socket], answers: tuple[bytes, ...]
) -> None:
    qtest, far = line
    qtest.post("a")
    qtest.post("b")
    sender = answer(far, *answers)
    refused = next(name for name, each in zip("abc", answers, strict=True) if each[:2] != b"OK")
    with pytest.raises(ValueError, match=f"qtest: {refused}: "):
        qtest.ask("c")
    sender.join()


@pytest.mark.parametrize("answers", [b"", b"OK\n", b"OK\nOK\n", b"OK\nOK\nOK 0x0"])
def test_the_end_of_the_connection(line: tuple[QTest, socket.socket], answers: bytes) -> None:
    qtest, far = line
    qtest.post("a")
    qtest.post("b")
    far.sendall(answers)
    far.shutdown(socket.SHUT_WR)
    with pytest.raises(EOFError):
        qtest.ask("c")
