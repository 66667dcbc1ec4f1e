"""Requests of each shape on a real device: what it answers, and which features it negotiates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES, Answer, answer, applies
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.kinds import COLLECT, FEATURES, WRITEBACK_READ
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.virtio.request.blk import F_CONFIG_WCE, F_DISCARD, F_FLUSH, F_MQ, F_WRITE_ZEROES

USED = sum(1 << bit for bit in (F_FLUSH, F_CONFIG_WCE, F_MQ, F_DISCARD, F_WRITE_ZEROES))
"""Features that the driver's requests use."""
_FLAGS = {
    Answer.SERVED: {0},
    Answer.MAY_REFUSE: {0, 2, 3},
    Answer.IOERR: {2},
    Answer.UNSUPP: {3},
    Answer.REFUSED: {2, 3},
}
"""Flags of a COLLECT by what is right."""
_UNKNOWN = "unsupported"


class ShapesContract:
    """What QEMU and the storage daemon have in common; a subclass says how to open the target."""

    def target(self) -> RealTarget:
        raise NotImplementedError  # each real target has its own

    @pytest.mark.parametrize("indirect", [False, True])
    def test_each_shape_is_answered_as_its_row_says(self, indirect: bool) -> None:
        with self.target() as real:
            assert list(wrong_answers(real, indirect=indirect)) == []

    def test_the_features_that_requests_need_are_accepted(self) -> None:
        without_cache = USED & ~(1 << F_FLUSH | 1 << F_CONFIG_WCE)
        with self.target() as real:
            assert accepted(real) & USED == USED
            assert accepted(real, "write_cache") & USED == without_cache

    def test_the_cache_mode_is_read_back(self) -> None:
        with self.target() as real:
            assert cache_modes(real) == [0, 1, 0, 0, 0, 0]

    @pytest.mark.parametrize("section", ["drain_begin", "mirror_begin"])
    def test_a_read_only_disk_refuses_writes(self, section: str) -> None:
        with self.target() as real:
            for flags, situations in read_only_answers(real, section):
                assert sorted(flags) == [0, 0, 2, 2, 2]
                assert "write_to_read_only_disk" in situations


def wrong_answers(target: Target, *, indirect: bool) -> Iterator[str]:
    """Send a request of each type and shape between a write and a read; yield what is wrong."""
    device = DeviceConfig(queue_size=16, indirect=indirect)
    for shape, name in enumerate(SHAPES):
        for code, request in enumerate(REQUESTS):
            if name == "long" or not applies(shape, code) or request == _UNKNOWN:
                continue
            ops = (
                op("init"),
                op("publish_kick", request="out", sector=2, sectors=4),
                op("publish_kick", request=request, sector=2, sectors=3, shape=name),
                op("publish_kick", request="in", sector=2, sectors=4),
                op("collect"),
            )
            outcome = run_scenario(target, Scenario(device, ops))
            flags = [
                event.flag for event in without_probe(outcome.trace.events) if event.kind == COLLECT
            ]
            if outcome.verdict.violations or flags[1] not in _FLAGS[answer(shape, code)]:
                yield f"{name} {request}: {flags} {outcome.verdict.violations}"


def read_only_answers(target: Target, section: str) -> Iterator[tuple[list[int], set[str]]]:
    """Send requests to read-only disks of two capacities; yield answers and situations.

    They stay read-only in a drained section, which the operation `section` begins, and after it.
    """
    write, read = op("publish_kick", request="out"), op("publish_kick")
    end = {"drain_begin": "drain_end", "mirror_begin": "mirror_finish"}[section]
    ops = (op("init"), write, read, op("collect"), op(section), write, op(end), write, read)
    for sectors in (64, 8):
        device = DeviceConfig(disk_sectors=sectors, queue_size=16, read_only=True)
        outcome = run_scenario(target, Scenario(device, (*ops, op("collect"))))
        assert outcome.verdict.clean, outcome.verdict.violations
        flags = [
            event.flag for event in without_probe(outcome.trace.events) if event.kind == COLLECT
        ]
        yield flags, set(outcome.verdict.situations)


def accepted(target: Target, decline: str = "nothing") -> int:
    """Return the features of the block device that a driver has accepted."""
    outcome = run_scenario(target, Scenario(DeviceConfig(queues=2), (op("init", decline=decline),)))
    (event,) = [event for event in outcome.trace.events if event.kind == FEATURES]
    return event.value


def cache_modes(target: Target) -> list[int]:
    """Set cache modes around writes, in two scenarios; return what was read then and at the end."""
    write = op("publish_kick", request="out", sector=3)
    through, back = (op("writeback", mode=mode) for mode in ("writethrough", "writeback"))
    found = []
    for ops in ((through, write, back, write, through), (write, through, write)):
        outcome = run_scenario(target, Scenario(ops=(op("init"), *ops, op("collect"))))
        assert outcome.verdict.clean, outcome.verdict.violations
        assert "cache_mode_read_back" in outcome.verdict.situations
        events = outcome.trace.events
        assert [event.flag for event in events if event.kind == COLLECT] == [0, 0]
        found += [event.value for event in events if event.kind == WRITEBACK_READ]
    return found
