"""Devices that differ from the reference and are right: no rule may report them.

Each was the cause of a false alarm, or could have been one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from tests.conformance.inputs import fuzz_inputs
from vblkfuzz.dataplane.board import Board
from vblkfuzz.dataplane.device_state import DeviceState
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.request import Request
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import from_text
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import DRIVER_INIT, POP, STATUS, STATUS_READ
from vblkfuzz.virtio.layout import F_EVENT_IDX
from vblkfuzz.virtio.request.blk import STATUS_SIZE, RequestType
from vblkfuzz.virtio.split.device_queue import DeviceQueue

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "regress"


class _AlwaysAsks(DeviceQueue):
    __slots__ = ()

    def set_notification(self, on: bool) -> None:
        super().set_notification(True)


class KeepsKicksEnabled(VirtioBlk):
    """Its ring asks for kicks all the time, so an attach need not enable them."""

    device_queue: ClassVar[type[DeviceQueue]] = _AlwaysAsks

    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        yield POINT
        self._watch(thread, port, self.context_of(port))
        port.notifier.set_own()


class EnablesKicksAfterAttach(VirtioBlk):
    """Kicks are enabled when the handler is attached already, then the ring is checked."""

    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        yield POINT
        self._watch(thread, port, self.context_of(port))
        yield POINT
        port.set_notification(thread, True)
        port.notifier.set_own()


class _OwedCalls(QueuePort):
    __slots__ = ("owed",)

    def __init__(self, device: DeviceState, board: Board, index: int) -> None:
        super().__init__(device, board, index)
        self.owed = False

    def call(self, thread: Thread) -> None:
        self.owed = True

    def call_if_idle(self, thread: Thread) -> None:
        if self.owed and not self.queue.inuse:
            self.owed = False
            super().call(thread)


class CallsOnceForABatch(VirtioBlk):
    """It calls when the last request of a queue has ended, for all of them."""

    queue_port: ClassVar[type[QueuePort]] = _OwedCalls

    def push(self, thread: Thread, request: Request, length: int) -> None:
        super().push(thread, request, length)
        self._port(request).call_if_idle(thread)

    def cancel(self, thread: Thread, request: Request) -> None:
        super().cancel(thread, request)
        self._port(request).call_if_idle(thread)

    @causal(Frame.RESET)
    def reset(self, thread: Thread, *, system: bool = False) -> Steps:
        self._forget_calls()  # also before: a stopped VM may be reset, and takes no call
        yield from super().reset(thread, system=system)
        self._forget_calls()

    def _forget_calls(self) -> None:
        for port in self.ports:
            _own(port).owed = False

    def forget_queue(self, thread: Thread, port: QueuePort) -> None:
        super().forget_queue(thread, port)
        _own(port).owed = False

    def _port(self, request: Request) -> _OwedCalls:
        return _own(self.ports[request.queue.index])


def _own(port: QueuePort) -> _OwedCalls:
    assert isinstance(port, _OwedCalls)
    return port


class FailedReadsHaveLengthZero(VirtioBlk):
    """A failed read announces nothing: its status is behind data that was not written."""

    def push(self, thread: Thread, request: Request, length: int) -> None:
        reads = request.blk.type in {RequestType.IN, RequestType.GET_ID}
        super().push(thread, request, 0 if reads and length == STATUS_SIZE else length)


RIGHT: dict[type[VirtioBlk], str] = {
    KeepsKicksEnabled: "s13-kicks-stay-enabled",
    EnablesKicksAfterAttach: "s13-kicks-stay-enabled",
    CallsOnceForABatch: "l4-one-call-for-a-batch",
    FailedReadsHaveLengthZero: "s14-write-after-queue-reset",
}
"""By device: the scenario in corpus/regress that is about it."""


class NeedsEventIdx(VirtioBlk):
    """It refuses FEATURES_OK if the driver has declined EVENT_IDX (virtio 1.2, 2.2.2)."""

    def accepts_features(self, bits: int) -> bool:
        return bool(bits >> F_EVENT_IDX & 1) or not self.host_features() >> F_EVENT_IDX & 1


def story(slug: str) -> Scenario:
    path = CORPUS / slug / "scenario.toml"
    return from_text(path.read_text(), path.name)


@pytest.mark.parametrize("device", RIGHT)
def test_a_right_device_is_clean(device: type[VirtioBlk]) -> None:
    inputs = [story(RIGHT[device]), *map(decode, fuzz_inputs(31, 400))]
    polled = [replace(one, device=replace(one.device, polling=True)) for one in inputs[:200]]
    with model("reference", "inline", device_class=device) as target:
        for scenario in (*inputs, *polled):
            assert judge(scenario, target.run(scenario)).violations == ()


REFUSED = Scenario(
    ops=(
        op("init", decline="event_idx"),
        *(op("publish_kick"), op("collect"), op("queue_reset"), op("driver_ok")),
        *(op("init"), op("publish_kick"), op("collect")),
    )
)
"""The first set-up is refused, the second one is not."""


@pytest.mark.parametrize("mode", ["inline", "processes"])
def test_a_driver_stops_where_features_ok_is_refused(mode: str) -> None:
    with model("reference", mode, device_class=NeedsEventIdx) as target:
        trace = target.run(REFUSED)
    assert judge(REFUSED, trace).violations == ()
    assert [event.value for event in trace.events if event.kind == STATUS] == [0xB, 0, 0xB, 0xF]
    assert [event.flag for event in trace.events if event.kind == DRIVER_INIT] == [0, 0, 1]
    assert len([event for event in trace.events if event.kind == POP]) == 1
    reads = [(event.head, event.value) for event in trace.events if event.kind == STATUS_READ]
    assert reads == [(0, 0), (0, 0), (0xF, 0xF)]


def test_a_driver_whose_set_up_was_refused_leaves_the_status_failed() -> None:
    first = Scenario(ops=REFUSED.ops[:3])
    with model("reference", "inline", device_class=NeedsEventIdx) as target:
        trace = target.run(first)
    assert judge(first, trace).violations == ()
    (_, last) = [event for event in trace.events if event.kind == STATUS_READ]
    assert (last.head, last.value) == (0x83, 0x83)


def test_a_device_that_refuses_features_is_clean() -> None:
    inputs = list(map(decode, fuzz_inputs(32, 400)))
    with model("reference", "inline", device_class=NeedsEventIdx) as target:
        for scenario in inputs:
            assert judge(scenario, target.run(scenario)).violations == ()
