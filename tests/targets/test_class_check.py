"""What a user's device class is told when it is loaded."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from vblkfuzz.cli.views.complaint import say_error
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.errors import UsageError
from vblkfuzz.targets.class_check import problems
from vblkfuzz.targets.device_class import device_class

HEAD = """
from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.thread import POINT, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
"""


def load(tmp_path: Path, body: str) -> str:
    """Load class Device; return what is wrong with it."""
    path = tmp_path / "device.py"
    path.write_text(HEAD + textwrap.dedent(body))
    try:
        device_class(f"{path}:Device")
    except UsageError as error:
        return str(error).replace(f"{path}: ", "")
    return ""


def device(*lines: str) -> str:
    return "\n".join(("class Device(VirtioBlk):", *(f"    {line}" for line in lines)))


TAKES = "(self, board, config, blk, main, iothreads)"
KNOWN = "Device.known: expected the beginning of a signature and one line of text, found"
WRONG = [
    (
        device("def __init__(self):", "    super().__init__()"),
        f"Device.__init__: expected {TAKES}, found (self)",
    ),
    (
        device("def __init__(self, *parts):", "    yield super().__init__(*parts)"),
        "Device.__init__: expected a plain method, found a generator: its caller does not iterate "
        "it",
    ),
    (device("known = {1: 2}"), f"{KNOWN} 1: 2"),
    (device("known = {'s1-': None}"), f"{KNOWN} 's1-': None"),
    (device("known = {'': 'text'}"), f"{KNOWN} '': 'text'"),
    (device(r"known = {'s1': 'a\nb\x1b[31m'}"), rf"{KNOWN} 's1': 'a\nb\x1b[31m'"),
    (device("known = {'s1': object()}"), f"{KNOWN} 's1': object"),
    (device("device_id = 'disk'"), "Device.device_id: expected bytes, found 'disk'"),
    (device("device_id = bytes(21)"), "Device.device_id: expected at most 20 bytes, found 21"),
    (
        device("def reset(self, thread, *, system=False):", "    self.broken = False"),
        "Device.reset: expected a generator (yield POINT, yield from), found a method that "
        "returns nothing",
    ),
    (
        device("def drained_poll(self):", "    yield POINT"),
        "Device.drained_poll: expected a plain method, found a generator: its caller does not "
        "iterate it",
    ),
    (
        device("@causal(Frame.RESET)", "def cancel(self, thread, request):", "    yield POINT"),
        "Device.cancel: expected a plain method, found a generator: its caller does not iterate it",
    ),
    (
        device("def reset(self, thread):", "    yield from super().reset(thread)"),
        "Device.reset: expected (self, thread, *, system=False), found (self, thread)",
    ),
    (
        device("def look_again(self, port, queue):", "    return True"),
        "Device.look_again: expected (self, port), found (self, port, queue)",
    ),
    (
        device("def drain_begin(self, thread):", "    yield POINT"),
        "Device.drain_begin: nothing uses this name; expected drained_begin, or a name that "
        "begins with _",
    ),
    (
        device("def writeStatus(self, thread, value):", "    yield POINT"),
        "Device.writeStatus: nothing uses this name; expected write_status, or a name that begins "
        "with _",
    ),
    (
        device("block_backends = BlockBackend"),
        "Device.block_backends: nothing uses this name; expected block_backend, or a name that "
        "begins with _",
    ),
    (
        device("block_backend = AioContext"),
        "Device.block_backend: expected a subclass of BlockBackend, found "
        "<class 'vblkfuzz.dataplane.aio.AioContext'>",
    ),
    (device("summary = 7"), "Device.summary: expected a str, found 7"),
    (device("known = 'S1'"), "Device.known: expected a dict, found 'S1'"),
    (device("reset = None"), "Device.reset: expected a method, found NoneType"),
    (
        "class Mine(BlockBackend):\n"
        "    def in_drain(self):\n"
        "        return False\n" + device("block_backend = Mine"),
        "Mine.in_drain: expected a property, found a method: nobody calls it",
    ),
    (
        device("from abc import abstractmethod", "@abstractmethod", "def mine(self): ..."),
        "Device.mine: abstract: expected a method in its place",
    ),
    (
        "class Mine(Operator):\n"
        "    def start_fail(self, thread, queue):\n"
        "        yield POINT\n" + device("operator = Mine"),
        "Mine.start_fail: expected (self, thread, queue, *_), found (self, thread, queue)",
    ),
    (
        "class Mine(BlockBackend):\n"
        "    def submits(self, thread, request):\n"
        "        yield POINT\n" + device("block_backend = Mine"),
        "Mine.submits: nothing uses this name; expected submit, or a name that begins with _",
    ),
    (
        device(
            "def reset(self, thread, *, system=False):", "    super().reset(thread)", "    yield"
        ),
        "Device.reset: line 10: super().reset has steps: expected yield from",
    ),
    (
        device("def _mine(self, thread):", "    self.blk.drain(thread)"),
        "Device._mine: line 10: self.blk.drain has steps: expected yield from",
    ),
    (
        device(
            "def _steps(self):",
            "    yield POINT",
            "def reset(self, thread, *, system=False):",
            "    self._steps()",
            "    yield from super().reset(thread, system=system)",
        ),
        "Device.reset: line 12: self._steps has steps: expected yield from",
    ),
]


@pytest.mark.parametrize(("body", "said"), WRONG, ids=[said.split(":")[0] for _, said in WRONG])
def test_what_cannot_work_is_said_in_one_line(tmp_path: Path, body: str, said: str) -> None:
    assert load(tmp_path, body) == said


def test_each_problem_has_its_line(tmp_path: Path) -> None:
    said = load(tmp_path, device("summary = 7", "known = 7"))
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "Device.summary",
        "Device.known",
    ]


RIGHT = [
    device("known = {'s1-reset': 'bug 12'}", "device_id = bytes(20)"),
    device("@property", "def device_id(self):", "    return b'disk'"),
    "class Base(VirtioBlk):\n    def __init__(self, *parts, limit): super().__init__(*parts)\n"
    "class Device(Base):\n    def __init__(self, *parts): super().__init__(*parts, limit=2)",
    device(
        "def handle_output(self, thread, port):", "    return super().handle_output(thread, port)"
    ),
    device("def reset(self, thread, *, system=False):", "    raise RuntimeError('not yet')"),
    device(
        "def reset(self, *arguments, **named):", "    yield from super().reset(*arguments, **named)"
    ),
    device("def look_again(self, port, once=True):", "    return once"),
    device("@causal(Frame.STOP)", "def reset(self, thread, *, system=False):", "    yield POINT"),
    device("limit = 2", "def limits(self):", "    return self.limit", "_drain_begin = 3"),
    device("def __init__(self, *arguments):", "    super().__init__(*arguments)"),
    device("def _mine(self, thread):", "    self.main.schedule(self._mine)", "    yield POINT"),
    "class Mine(Operator):\n    def start_fail(self, thread, *_):\n        yield POINT\n"
    + device("operator = Mine"),
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_can_work_is_taken(tmp_path: Path, body: str) -> None:
    assert load(tmp_path, body) == ""


@pytest.mark.parametrize("name", REVISIONS)
def test_ours_would_be_taken_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revision overrides as a user's device does: no false alarm, were it one."""
    revision = REVISIONS[name]
    for module in {base.__module__ for base in revision.__mro__ if "revisions" in base.__module__}:
        for base in revision.__mro__:
            if base.__module__ == module:
                monkeypatch.setattr(base, "__module__", "mine")
    assert [str(each) for each in problems(revision)] == []


def test_the_command_line_prints_a_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "device.py"
    path.write_text(HEAD + device("summary = 7", "known = 7"))
    with pytest.raises(UsageError) as error:
        device_class(f"{path}:Device")
    say_error(error.value)
    assert capsys.readouterr().err == (
        f"vblkfuzz: {path}: Device.summary: expected a str, found 7\n"
        f"vblkfuzz: {path}: Device.known: expected a dict, found 7\n"
    )


def test_a_line_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "device.py"
    path.write_text(HEAD + device("summary = 7"))
    with pytest.raises(UsageError, match=f"^{re.escape(str(path))}: Device.summary: "):
        device_class(f"{path}:Device")
