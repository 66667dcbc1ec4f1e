"""What a campaign asks of a user's device is answered by a child: the module stays out of ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from vblkfuzz.errors import DeviceClassError, UsageError
from vblkfuzz.targets.device_class import device_class
from vblkfuzz.targets.listed_bugs import listed_bugs

DEVICE = """
import os
from pathlib import Path
Path(__file__).with_suffix(f".{{os.getpid()}}").touch()
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
class Device(VirtioBlk):
    {body}
"""


def device(tmp_path: Path, body: str) -> str:
    path = tmp_path / "asked.py"
    path.write_text(DEVICE.format(body=body))
    return f"{path}:Device"


def test_known_bugs_come_from_a_child(tmp_path: Path) -> None:
    name = device(tmp_path, 'known = {"s1-reset": "lp#1"}')
    assert listed_bugs(name) == (("s1-reset", "lp#1"),)
    (imported,) = tmp_path.glob("asked.[0-9]*")
    assert imported.suffix != f".{os.getpid()}"
    assert not [one for one in sys.modules if one.endswith("asked")]


def test_a_class_that_cannot_work(tmp_path: Path) -> None:
    name = device(tmp_path, "known = {1: 2}\n    device_id = 5")
    with pytest.raises(DeviceClassError) as found:
        listed_bugs(name)
    assert len(found.value.lines) == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise SystemExit(0)", "its module fails: SystemExit(0)"),
        ("os._exit(3)", "its module ends the process when it is imported: exit status 3"),
        ("raise KeyboardInterrupt", "its module raises KeyboardInterrupt"),
    ],
)
def test_a_module_that_fails(tmp_path: Path, body: str, said: str) -> None:
    name = device(tmp_path, body)
    with pytest.raises(UsageError) as found:
        listed_bugs(name)
    assert str(found.value) == f"device {tmp_path / 'asked.py'}: {said}"


def test_no_such_class(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a subclass of VirtioBlk called Other"):
        listed_bugs(device(tmp_path, "pass").replace(":Device", ":Other"))


@pytest.mark.parametrize("name", ["reference", "reference+no_selfkick"])
def test_a_device_that_is_built_in(name: str) -> None:
    assert dict(listed_bugs(name)) == device_class(name).known
