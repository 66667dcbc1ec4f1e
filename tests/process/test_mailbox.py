from __future__ import annotations

from collections.abc import Iterator

import pytest

from vblkfuzz.dataplane.registers import (
    ARGUMENT,
    AVAIL,
    DESC,
    ENABLED,
    EXIT,
    IOEVENTFD,
    SIZE,
    STATUS,
    USED,
    WRITEBACK,
    Exit,
)
from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.execution import SharedParts
from vblkfuzz.process.mailbox import MailboxTransport
from vblkfuzz.virtio.layout import (
    STATUS_DRIVER_OK,
    RingLayout,
)

LAYOUT = RingLayout.place(8, 2048)


class Mailbox:
    def __init__(self) -> None:
        self.parts = SharedParts(Arena())
        self.parts.power_on(4)
        self.registers = self.parts.arena.registers
        self.transport = MailboxTransport(self.registers, self.parts.kicks, self.parts.calls)

    def exit(self) -> tuple[int, int] | None:
        """Return the posted exit, if there is one, and mark it as handled."""
        words = self.registers.words
        found = (words[EXIT], words[ARGUMENT]) if words[EXIT] else None
        words[EXIT] = Exit.NONE
        return found

    def posted(self, steps: GuestSteps) -> tuple[int, int] | None:
        """Return the exit that `steps` posts without waiting for it."""
        assert list(steps) == []
        return self.exit()

    def awaited(self, steps: GuestSteps) -> tuple[int, int] | None:
        """Return the exit that `steps` posts and waits for."""
        assert [next(steps) for _ in range(3)] == [True] * 3
        found = self.exit()
        assert list(steps) == []
        return found


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.parts.close()


def test_features_are_those_of_the_device(mailbox: Mailbox) -> None:
    mailbox.registers.offered = 1 << 40 | 5
    assert mailbox.transport.device_features() == 1 << 40 | 5


def test_features_are_posted(mailbox: Mailbox) -> None:
    mailbox.transport.accept_features(1 << 40 | 3)
    assert mailbox.registers.features == 1 << 40 | 3


def test_driver_ok_exits(mailbox: Mailbox) -> None:
    assert mailbox.posted(mailbox.transport.write_status(15)) == (Exit.STATUS, 15)


def test_a_reset_exits_and_is_awaited(mailbox: Mailbox) -> None:
    assert mailbox.awaited(mailbox.transport.write_status(0)) == (Exit.STATUS, 0)


def test_other_status_bits_are_posted(mailbox: Mailbox) -> None:
    assert mailbox.posted(mailbox.transport.write_status(11)) is None
    assert mailbox.transport.read_status() == 11


def test_the_status_is_read_without_an_exit(mailbox: Mailbox) -> None:
    mailbox.registers.words[STATUS] = 9
    assert mailbox.transport.read_status() == 9


def test_queue_enable_is_read_without_an_exit(mailbox: Mailbox) -> None:
    mailbox.registers.set_queue(1, ENABLED, 1)
    assert [mailbox.transport.queue_enabled(index) for index in (0, 1)] == [False, True]


def test_a_queue_is_set_up_without_an_exit_before_driver_ok(mailbox: Mailbox) -> None:
    assert mailbox.posted(mailbox.transport.set_up_queue(2, LAYOUT)) is None
    values = [mailbox.registers.queue(2, each) for each in (SIZE, DESC, AVAIL, USED, ENABLED)]
    assert values == [LAYOUT.size, LAYOUT.desc, LAYOUT.avail, LAYOUT.used, 1]


def test_a_queue_is_set_up_with_an_exit_after_driver_ok(mailbox: Mailbox) -> None:
    mailbox.registers.words[STATUS] = STATUS_DRIVER_OK
    assert mailbox.posted(mailbox.transport.set_up_queue(2, LAYOUT)) == (Exit.QUEUE_ENABLE, 2)


def test_a_kick_exits_without_an_ioeventfd(mailbox: Mailbox) -> None:
    assert mailbox.posted(mailbox.transport.kick(3)) == (Exit.KICK, 3)
    assert not mailbox.parts.kicks[3].is_set()


def test_a_kick_signals_the_ioeventfd(mailbox: Mailbox) -> None:
    mailbox.registers.set_queue(3, IOEVENTFD, 1)
    assert mailbox.posted(mailbox.transport.kick(3)) is None
    assert mailbox.parts.kicks[3].clear()


def test_a_queue_reset_exits(mailbox: Mailbox) -> None:
    assert mailbox.awaited(mailbox.transport.reset_queue(1)) == (Exit.QUEUE_RESET, 1)


def test_a_call_is_taken_once(mailbox: Mailbox) -> None:
    mailbox.parts.calls[1].set()
    assert mailbox.transport.take_call(1)
    assert not mailbox.transport.take_call(1)


def test_the_cache_mode_is_written_by_an_exit_and_read_from_a_register(mailbox: Mailbox) -> None:
    assert mailbox.awaited(mailbox.transport.set_writeback(1)) == (Exit.WRITEBACK, 1)
    mailbox.registers.words[WRITEBACK] = 1
    assert mailbox.transport.writeback() == 1
