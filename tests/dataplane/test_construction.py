"""Constructors of a user's device and its parts that cannot be used: a finding that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import MODES, model

FILE = """
from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.virtio.split.device_queue import DeviceQueue

class Part({base}):
    def {body}

class Device(VirtioBlk):
    summary = "wrong"
    {part}
"""
NONE = "__init__(self, *args, **more):"
INIT = f"{NONE} super().__init__(*args, **more);"
WRONG = {
    "returns a number": (f"{INIT} return 3", "__init__() should return None, not 'int'"),
    "makes nothing": ("__new__(cls, *args, **more): return None", "found NoneType"),
    "leaves ours out": (f"{NONE} pass", "expected a call of super().__init__"),
}
PARTS = {
    "VirtioBlk": "device",
    "BlockBackend": "block_backend",
    "AioContext": "aio_context",
    "Operator": "operator",
    "QueuePort": "queue_port",
    "DeviceQueue": "device_queue",
}
SCENARIO = Scenario(DeviceConfig(iothreads=1), (op("init"),))


def crash(folder: Path, base: str, body: str, mode: str = "inline") -> str:
    """Run a device with a part that has a method; return the crash, the only violation."""
    path = folder / "device.py"
    part = "pass" if base == "VirtioBlk" else f"{PARTS[base]} = Part"
    path.write_text(FILE.format(base=base, body=body, part=part))
    name = "Part" if base == "VirtioBlk" else "Device"
    with model(f"{path}:{name}", mode) as target:
        (violation,) = run_scenario(target, SCENARIO).verdict.violations
    assert violation.rule == "CRASH"
    return violation.sentence


@pytest.mark.parametrize("base", PARTS)
@pytest.mark.parametrize("name", WRONG)
def test_the_constructor_is_to_blame(base: str, name: str, tmp_path: Path) -> None:
    body, problem = WRONG[name]
    said = crash(tmp_path, base, body)
    constructor = f"Part.{body.partition('(')[0]}"
    assert f"WrongConstructor ({constructor}: " in said
    assert problem in said
    assert f" in {constructor} (device.py, line 10)" in said


@pytest.mark.parametrize("mode", MODES)
def test_it_is_a_finding_in_each_mode(mode: str, tmp_path: Path) -> None:
    assert "Part.__new__" in crash(tmp_path, "VirtioBlk", WRONG["makes nothing"][0], mode)


def test_what_it_raises_is_its_own(tmp_path: Path) -> None:
    assert "raised TypeError" in crash(tmp_path, "Operator", f"{NONE} raise TypeError")
