"""What is said about a file of hand-written traces that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle.case_file import load
from vblkfuzz.trace.event import ActorId, Event, Frame
from vblkfuzz.trace.kinds import KICK

GOOD = """
[[case]]
title = "a kick"
trace = '''
guest kick queue=0 flag=1 path=reset>stop  # first
'''
queues = 2
"""


def written(folder: Path, text: str, name: str = "s1.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_good_one(tmp_path: Path) -> None:
    (case,) = load(written(tmp_path, GOOD))
    path = Frame.RESET << 8 | Frame.STOP
    assert case.events == (Event(0, KICK, ActorId.GUEST, queue=0, flag=1, path=path),)
    assert (case.rule, case.first, case.second, case.device.queues) == ("S1", 0, None, 2)


LINE = "a kick: line 1 of its trace, "


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("guest", "gues", f"{LINE}'gues kick .*: gues: expected an actor, such as guest"),
        ("guest kick", "guest kik", f"{LINE}.*: kik: expected a kind of trace/kinds.py, such"),
        ("flag", "flg", f"{LINE}.*: flg: expected a field of an event, such as flag"),
        ("flag=1", "flag=on", f"{LINE}.*: flag=on: expected flag=NUMBER"),
        ("flag=1", "flag", f"{LINE}.*: flag: expected flag=NUMBER"),
        (">stop", ">stopp", f"{LINE}.*: stopp: expected a Frame, such as stop"),
        ("guest kick", "guest #", f"{LINE}.*: expected an actor, a kind, and fields like"),
        ("queues", "queue", "a kick: queue: expected a key of a case"),
        ("queues = 2", "queues = 9", "a kick: queues: expected 1..4, found 9"),
        ("queues = 2", "situations = ['x']", "a kick: x: expected a situation of S1"),
        ("[[case]]", "[[case]", "Expected"),
        ("title", "#", "a case without a title: title: expected a text"),
        ("trace", "sentences", "a kick: trace: expected a text"),
        ("[[case]]", "", "expected cases"),
    ],
)
def test_a_bad_one(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(ValueError, match=rf"^cases/s1\.toml: {problem}") as raised:
        load(written(tmp_path, GOOD.replace(old, new, 1)))
    assert "\n" not in str(raised.value)


def test_one_of_no_rule(tmp_path: Path) -> None:
    problem = r"^cases/s99\.toml: s99: expected the name of a rule, such as s9"
    with pytest.raises(ValueError, match=problem):
        load(written(tmp_path, GOOD, "s99.toml"))
