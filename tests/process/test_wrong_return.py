"""A user's device that saves or loads a wrong value: a finding that names its method."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.dataplane.saved_state_check import check_loaded
from vblkfuzz.dataplane.wrong_return import WrongReturn
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.device_class import device_class
from vblkfuzz.targets.model import MODES, model

FILE = """
from dataclasses import replace
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

def saved(device, **changes):
    return replace(super(Device, device).save_state(), **changes)

class Device(VirtioBlk):
    summary = "wrong"

{body}
"""
PARKED = (op("init"), op("drain_begin"), op("publish_kick", request="out", sector=1))
SCENARIO = Scenario(
    DeviceConfig(queues=2, ioeventfd=False),
    (*PARKED, op("save"), op("restore"), op("drain_end"), op("collect")),
)
SAVE = "    def save_state(self): return "
QUEUE = "replace(super().save_queue(port), "
REQUEST = "replace(super().save_request(request), "
WRONG = {
    "nothing": (f"{SAVE}None", "save_state: expected a SavedState, found NoneType"),
    "status": (f"{SAVE}saved(self, status='x')", "status: expected 0 to 0xff, found 'x'"),
    "features": (f"{SAVE}saved(self, features=-1)", "features: expected 0 to 0xffffffffffffffff"),
    "generation": (f"{SAVE}saved(self, generation=1 << 32)", "generation: expected 0 to"),
    "writeback": (f"{SAVE}saved(self, writeback=None)", "writeback: expected True or False"),
    "queues": (f"{SAVE}saved(self, queues=None)", "queues: expected a tuple, found NoneType"),
    "a queue less": (
        f"{SAVE}saved(self, queues=super().save_state().queues[1:])",
        "queues: expected 2, found 1",
    ),
    "calls": (f"{SAVE}saved(self, calls=(7,))", "calls[0]: expected the index of a queue, found 7"),
    "queue": (
        "    def save_queue(self, port): return None",
        "queues[0]: expected a SavedQueue, found NoneType",
    ),
    "index": (
        f"    def save_queue(self, port): return {QUEUE}last_avail=1 << 16)",
        "queues[0]: last_avail: expected 0 to 0xffff, found 65536",
    ),
    "layout": (
        f"    def save_queue(self, port): return {QUEUE}layout=8)",
        "queues[0]: layout: expected the RingLayout of a split ring or None, found int",
    ),
    "request": (
        "    def save_request(self, request): return request",
        "requests[0]: expected a SavedRequest, found Request",
    ),
    "blk": (
        f"    def save_request(self, request): return {REQUEST}blk=None)",
        "requests[0]: blk: expected a BlkRequest, found NoneType",
    ),
    "its queue": (
        f"    def save_request(self, request): return {REQUEST}queue=2)",
        "requests[0]: queue: expected the index of a queue, found 2",
    ),
    "head": (
        f"    def save_request(self, request): return {REQUEST}head=None)",
        "requests[0]: head: expected a number, found None",
    ),
    "pending": (
        "    def pending_calls(self): return None",
        "pending_calls: expected a tuple of numbers below 65536, found NoneType",
    ),
    "loaded": (
        "    def load_state(self, thread, state):\n"
        "        super().load_state(thread, state)\n"
        "        self.status = 256",
        "load_state: status: expected 0 to 0xff, found 256",
    ),
}


def written(folder: Path, body: str) -> str:
    path = folder / "device.py"
    path.write_text(FILE.format(body=body))
    return f"{path}:Device"


@pytest.mark.parametrize("case", WRONG)
def test_its_method_is_to_blame(case: str, tmp_path: Path) -> None:
    body, problem = WRONG[case]
    method = body.partition("def ")[2].partition("(")[0]
    with model(written(tmp_path, body), "inline") as target:
        execution = run_scenario(target, SCENARIO)
    (crash,) = [one for one in execution.verdict.violations if one.rule == "CRASH"]
    assert crash.signature.startswith(f"crash-wrongreturn-device-{method}-")
    assert problem in crash.sentence


@pytest.mark.parametrize("mode", MODES)
def test_it_is_a_finding_in_each_mode(mode: str, tmp_path: Path) -> None:
    with model(written(tmp_path, f"{SAVE}None"), mode) as target:
        for _ in range(2):
            assert [one.rule for one in run_scenario(target, SCENARIO).verdict.violations] == [
                "CRASH"
            ]


def test_the_state_of_a_right_device_is_right(tmp_path: Path) -> None:
    body = "    def save_state(self): return saved(self, calls=list(super().save_state().calls))"
    with model(written(tmp_path, body), "inline") as target:
        assert run_scenario(target, SCENARIO).verdict.clean


def test_the_method_that_had_the_last_say_is_to_blame(tmp_path: Path) -> None:
    """Of `save_queue` and a `save_state` that calls it."""
    both = "    def save_queue(self, port): return 5\n\n" + SAVE + "super().save_state()"
    with model(written(tmp_path, both), "inline") as target:
        (crash,) = run_scenario(target, SCENARIO).verdict.violations
    assert crash.signature.startswith("crash-wrongreturn-device-save_state-")


def test_what_a_device_has_loaded() -> None:
    device = device_class("reference")
    blank = device.__new__(device)
    blank.status, blank.features, blank.broken = 0, 0, False
    check_loaded(blank)
    blank.features = 1 << 64
    with pytest.raises(WrongReturn, match="load_state: features: expected 0 to"):
        check_loaded(blank)
