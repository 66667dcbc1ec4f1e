"""A device in a file of its own: what it may import, and where its prints go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.faulty import GOOD
from vblkfuzz.errors import Stopped, UsageError
from vblkfuzz.targets.device_class import device_class
from vblkfuzz.targets.model import MODES, model

DEVICE = """
import os
import sys
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from helper_of_mine import NAME
print("imported")
os.write(1, b"loaded\\n")

class Device(VirtioBlk):
    summary = NAME

    def look_again(self, port):
        print("looked")
        os.write(1, b"written\\n")
        return super().look_again(port)
"""


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "helper_of_mine.py").write_text("NAME = 'helped'\n")
    (tmp_path / "json.py").write_text("raise RuntimeError('this hides what is of Python')\n")
    path = tmp_path / "device.py"
    path.write_text(DEVICE)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield f"{path}:Device"
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_it_imports_what_lies_beside_it(device: str) -> None:
    assert device_class(device).summary == "helped"
    assert sys.path.count(str(Path(device).parent)) == 1
    device_class(device)
    assert sys.path.count(str(Path(device).parent)) == 1


@pytest.mark.parametrize("mode", MODES)
def test_what_it_prints_is_not_on_standard_output(
    device: str, mode: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with model(device, mode) as target:
        target.run(GOOD)
        print("ours")
    said = capfd.readouterr()
    assert said.out == "ours\n"
    assert {"imported", "loaded", "looked", "written"} <= set(said.err.splitlines())


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("import sys\nsys.exit(0)", "SystemExit(0)"),
        ("import unittest\nunittest.main(exit=True)", "SystemExit("),
        ("import argparse\nargparse.ArgumentParser().parse_args()\n1 / 0", "ZeroDivisionError("),
        ("import pytest\npytest.skip('no', allow_module_level=True)", "Skipped: no"),
        ("class Odd(BaseException):\n    __repr__ = None\nraise Odd", "Odd"),
        ("raise RuntimeError('two\\nlines')", "RuntimeError('two\\nlines')"),
        ("def __getattr__(name):\n    raise SystemExit(0)", "SystemExit(0)"),
    ],
)
def test_a_module_that_ends_the_program_is_a_device_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, raised: str
) -> None:
    path = tmp_path / "device.py"
    path.write_text(code)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", arguments := ["vblkfuzz", "--device", "x"])
    with pytest.raises(UsageError) as found:
        device_class(f"{path}:Device")
    assert f"{path}" in str(found.value)
    assert f": its module fails: {raised}" in str(found.value)
    assert sys.argv is arguments


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Stopped(72)])
def test_the_user_may_stop_while_a_module_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    path = tmp_path / "device.py"
    path.write_text("import sys\nraise sys.stop_of_the_test")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "stop_of_the_test", stop, raising=False)
    with pytest.raises((KeyboardInterrupt, Stopped)):
        device_class(f"{path}:Device")
