"""A user's method that returns or yields a wrong value now and then: a finding that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.inputs import every_operation
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.device_class import device_class
from vblkfuzz.targets.model import MODES, model

FILE = """
from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.virtio.split.device_queue import DeviceQueue

class Backend(BlockBackend):
{backend}

class Device(VirtioBlk):
    summary = "wrong"
    block_backend = Backend
{body}
"""
RESET = "    def reset(self, thread, *, system=False):\n        "
GOES_ON = "\n        return super().reset(thread, system=system)"
STEPS = "expected steps (yield POINT, yield from, return NO_STEPS), found"
WRONG = {
    "returns None": (f"{RESET}if self.pops: return None{GOES_ON}", f"reset: {STEPS} NoneType"),
    "returns 5": (f"{RESET}if self.pops: return 5{GOES_ON}", f"reset: {STEPS} int"),
    "yields 5": (
        f"{RESET}yield 5",
        "Device.reset: expected yield POINT or yield CONDITION, found int",
    ),
    "yields 5 further in": (
        f"{RESET}yield from self.more()\n    def more(self):\n        yield 5",
        "Device.more: expected yield POINT or yield CONDITION, found int",
    ),
    "returns a list of numbers": (
        f"{RESET}return [None, 5]",
        "Device.reset: expected yield POINT or yield CONDITION, found int",
    ),
    "returns an iterator that fails": (
        f"{RESET}return map(len, [5])",
        "Device.reset: expected yield POINT or yield CONDITION, found TypeError: object of type "
        "'int' has no len()",
    ),
    "returns a condition that takes an argument": (
        f"{RESET}return [lambda x: x]",
        "Device.reset: expected yield POINT or yield CONDITION, found TypeError: "
        "Device.reset.<locals>.<lambda>() missing 1 required positional argument: 'x'",
    ),
    "yields a condition that takes an argument": (
        f"{RESET}yield lambda *, x: x",
        "Device.reset: expected yield POINT or yield CONDITION, found TypeError: "
        "Device.reset.<locals>.<lambda>() missing 1 required keyword-only argument: 'x'",
    ),
    "yields a built-in that takes an argument": (
        f"{RESET}yield len",
        "Device.reset: expected yield POINT or yield CONDITION, found TypeError: "
        "len() takes exactly one argument (0 given)",
    ),
    "called by one of its own": (
        f"{RESET}if self.pops: return None{GOES_ON}\n"
        "    def write_status(self, thread, value):\n"
        "        yield from super().write_status(thread, value)",
        f"reset: {STEPS} NoneType",
    ),
    "no number": (
        "    def capacity(self): return None",
        "capacity: expected a number, found NoneType",
    ),
    "a status of more than a byte": (
        "    def answer_at_once(self, request): return 256",
        "answer_at_once: expected a BlkStatus or None, found 256",
    ),
    "features of more than 64 bits": (
        "    def host_features(self): return 1 << 70",
        "host_features: expected a number of 64 bits, found 1180591620717411303424",
    ),
    "features below zero": (
        "    def host_features(self): return -1",
        "host_features: expected a number of 64 bits, found -1",
    ),
    "no features left behind": (
        "    def set_features(self, bits): pass",
        "set_features: expected a call of super().set_features",
    ),
    "no contexts": (
        "    def contexts(self): return None",
        "contexts: expected a list of AioContexts, found NoneType",
    ),
    "contexts that are none": (
        "    def contexts(self): return (None,)",
        "contexts: expected a list of AioContexts, found tuple",
    ),
    "no context": (
        "    def context_of(self, port): return None",
        "context_of: expected an AioContext, found NoneType",
    ),
    "no context to complete in": (
        "    def completion_context(self, thread): return 3",
        "completion_context: expected an AioContext, found 3",
    ),
    "no status": (
        "    def answer_at_once(self, request): return 'ok'",
        "answer_at_once: expected a BlkStatus or None, found str",
    ),
}
SCENARIO = Scenario(ops=(op("init"), op("publish_kick", request="out", sector=1), op("reset")))


@pytest.fixture
def named(tmp_path: Path) -> str:
    return f"{tmp_path / 'device.py'}:Device"


def write(named: str, body: str, backend: str = "    pass") -> None:
    Path(named.partition(":")[0]).write_text(FILE.format(body=body, backend=backend))


def write_part(named: str, part: str, base: str, method: str) -> None:
    """Write a device with a part of its own that has one method of its own."""
    write(named, f"    {part} = Part\n\nclass Part({base}):\n    {method}")
    path = Path(named.partition(":")[0])
    before, _, after = path.read_text().partition("class Device")
    device, _, own = f"class Device{after}".partition("class Part")
    path.write_text(f"{before}class Part{own}\n{device}")


def crash(named: str, mode: str, scenario: Scenario = SCENARIO) -> str:
    """Run a scenario; return what is said of the crash, the only violation."""
    with model(named, mode) as target:
        (violation,) = run_scenario(target, scenario).verdict.violations
    assert violation.rule == "CRASH"
    return violation.sentence


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", WRONG)
def test_the_method_is_to_blame(named: str, name: str, mode: str) -> None:
    body, problem = WRONG[name]
    write(named, body)
    method = problem.partition(":")[0].removeprefix("Device.")
    assert f" ({problem}) in Device.{method} (device.py, line " in crash(named, mode)


def test_so_is_a_method_of_a_part(named: str) -> None:
    write(named, "    pass", "    def submit(self, thread, request):\n        return 1 + 1")
    assert f"WrongReturn (submit: {STEPS} int) in Backend.submit (device.py" in crash(
        named, "inline"
    )


def test_so_is_one_that_is_asked_after_an_error(named: str) -> None:
    write(named, "    def error_action(self, request): return 'retry'")
    ops = op("init"), op("hold"), *SCENARIO.ops[1:2], op("complete", result="enospc")
    said = crash(named, "inline", Scenario(ops=(*ops, op("release"))))
    expected = "expected one of ('report', 'ignore', 'stop'), found str"
    assert f"WrongReturn (error_action: {expected}) in Device.error_action (device.py" in said


_PARTS = {
    ("block_backend", "BlockBackend"): {
        "def cancel_parked(self, queue=None): return None": "a list of Requests, found NoneType",
        "def cancel_parked(self, *queue): return [1]": "a list of Requests, found list",
        "@property\n    def lock(self): return 3": "a Lock or None, found 3",
    },
    ("aio_context", "AioContext"): {
        "def overslept(self): return 3": "a tuple of numbers below 65536, found 3",
        "def overslept(self): return 'x'": "a tuple of numbers below 65536, found str",
    },
    ("operator", "Operator"): {
        "def unfinished(self): return (1, 2)": "an Op or None, found tuple",
    },
    ("queue_port", "QueuePort"): {
        "def needs_bql(self, thread): return None": "True or False, found NoneType",
    },
}


@pytest.mark.parametrize(
    ("part", "base", "method", "problem"),
    [(*part, *one) for part, methods in _PARTS.items() for one in methods.items()],
)
def test_so_are_methods_and_properties_of_parts(
    named: str, part: str, base: str, method: str, problem: str
) -> None:
    write_part(named, part, base, method)
    name = method.partition("def ")[2].partition("(")[0]
    said = crash(named, "inline")
    assert f"WrongReturn ({name}: expected {problem}) in Part.{name} (device.py" in said


def test_a_generator_is_not_wrapped(named: str) -> None:
    write(named, f"{RESET}yield from super().reset(thread, system=system)")
    assert not hasattr(vars(device_class(named))["reset"], "__wrapped__")


def test_what_can_be_used_is_used(named: str) -> None:
    write(named, f"{RESET}return super().reset(thread)\n    def capacity(self): return 64")
    with model(named, "inline") as target:
        assert not run_scenario(target, SCENARIO).verdict.violations


LIKE_IT = {
    ("", "VirtioBlk"): {
        "answer_at_once": "lambda found: None if found is None else int(found)",
        "contexts": "tuple",
        "drained_poll": "int",
        "error_action": "str",
        "look_again": "lambda found: [1] if found else None",
        "pending_calls": "list",
        "set_features": "lambda found: 5",
    },
    ("aio_context", "AioContext"): {"has_work": "int", "overslept": "list"},
    ("device_queue", "DeviceQueue"): {"empty": "int", "push": "int", "should_call": "int"},
    ("queue_port", "QueuePort"): {"needs_bql": "int"},
}
"""Methods of ours, and what makes another value of theirs that stands for the same."""


@pytest.mark.parametrize(
    ("part", "base", "name", "like"),
    [(*part, *one) for part, methods in LIKE_IT.items() for one in methods.items()],
)
def test_a_value_that_stands_for_another_is_used_as_that(
    named: str, part: str, base: str, name: str, like: str
) -> None:
    method = f"def {name}(self, *all): return ({like})(super().{name}(*all))"
    write(named, f"    {method}") if not part else write_part(named, part, base, method)
    device = DeviceConfig(queues=2, iothreads=2, polling=True, rerror="stop", werror="stop")
    traces = []
    for each in (named, "reference"):
        with model(each, "inline") as target:
            execution = run_scenario(target, every_operation(device))
        assert execution.verdict.clean
        traces.append(execution.trace.events)
    assert traces[0] == traces[1]


def test_so_are_points_in_a_list_and_a_condition_with_a_default(named: str) -> None:
    """A device may return any steps, and a condition that can be called needs no fewer names."""
    body = "    def drained_begin(self, thread):\n        return [None, lambda ready=True: ready]"
    write(named, f"{body}\n{RESET}return super().reset(thread)")
    with model(named, "inline") as target:
        assert not run_scenario(target, SCENARIO).verdict.violations


def test_an_error_within_a_condition_is_its_own(named: str) -> None:
    write(named, f"{RESET}yield self.later\n    def later(self, *no): return no[0]")
    assert "raised IndexError" in crash(named, "inline")
