"""Devices written before a module moved go on working."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from vblkfuzz import api
from vblkfuzz._moved import MOVED

OLD_DEVICE = """
from vblkfuzz import VirtioBlk
from vblkfuzz.virtio.blk import BlkStatus
from vblkfuzz.virtio.device_queue import DeviceQueue

class Old(VirtioBlk):
    summary = "fails all requests"
    device_queue = DeviceQueue

    def answer_at_once(self, request):
        return BlkStatus.IOERR
"""


@pytest.mark.parametrize("old", MOVED)
def test_the_old_name_is_the_same_module(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=f"{old} is now {MOVED[old]}"):
        module = import_module(old)
    assert module is import_module(MOVED[old])
    assert module.__spec__ is not None
    assert module.__spec__.name == module.__name__ == MOVED[old]


def test_the_warning_names_the_line_that_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "vblkfuzz.virtio.blk", raising=False)
    with pytest.warns(DeprecationWarning) as warned:
        exec(compile("\n\nimport vblkfuzz.virtio.blk", "my_device.py", "exec"), {})
    assert [(one.filename, one.lineno) for one in warned] == [("my_device.py", 3)]


@pytest.mark.parametrize("mode", ["inline", "processes"])
def test_an_old_device_runs(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "old.py"
    file.write_text(OLD_DEVICE)
    execution = api.run(api.Scenario(), f"{file}:Old", mode=mode)
    assert execution.verdict.violations == ()


def test_other_names_are_still_missing() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'vblkfuzz\.virtio\.block'"):
        import_module("vblkfuzz.virtio.block")
