"""A device in a file of its own: what it may import, and where its prints go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.faulty import GOOD
from tests.waiting import WAIT_S
from vblkfuzz.errors import Stopped, UsageError
from vblkfuzz.scenario.text import to_text
from vblkfuzz.targets import trial_import
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
    code = f"import os, sys\nif os.getpid() == {os.getpid()}: raise sys.stop_of_the_test"
    path.write_text(code)  # not in the trial
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "stop_of_the_test", stop, raising=False)
    with pytest.raises((KeyboardInterrupt, Stopped)):
        device_class(f"{path}:Device")


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("import os\nos._exit(0)", "ends the process when it is imported: exit status 0"),
        ("import os\nos._exit(3)", "ends the process when it is imported: exit status 3"),
        ("import os\nos.kill(os.getpid(), 15)", "ends the process when it is imported: SIGTERM"),
        ("import os\nos.kill(os.getpid(), 9)", "ends the process when it is imported: SIGKILL"),
        ("raise KeyboardInterrupt", "raises KeyboardInterrupt"),
        ("def __getattr__(name):\n    raise KeyboardInterrupt", "raises KeyboardInterrupt"),
        ("while True: pass", "is not imported within 1 s of processor time"),
    ],
)
def test_a_module_that_ends_its_process_ends_a_child_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, ending: str
) -> None:
    path = tmp_path / "device.py"
    path.write_text(code)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(trial_import, "IMPORT_LIMIT_S", 1)
    with pytest.raises(UsageError) as found:
        device_class(f"{path}:Device")
    assert str(found.value) == f"device {path}: its module {ending}"


LEAVES = """
import atexit, os, signal, threading
os.fork()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
atexit.register(lambda: os._exit(5))
threading.Thread(target=threading.Event().wait).start()
from vblkfuzz import VirtioBlk
class Device(VirtioBlk):
    summary = "leaves a thread, a process and a function behind"
"""


def test_what_a_module_leaves_behind_does_not_outlive_a_verb(tmp_path: Path) -> None:
    path = tmp_path / "device.py"
    path.write_text(LEAVES)
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(to_text(GOOD))
    command = [sys.executable, "-m", "vblkfuzz", "replay", str(scenario), "--device"]
    done = subprocess.run(
        [*command, f"{path}:Device"], capture_output=True, text=True, check=False, timeout=WAIT_S
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("clean") == 1
