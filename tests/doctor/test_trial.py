"""A check that hangs, crashes or raises ends with a fact, and leaves nothing."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.conformance.leftovers import nothing_left
from tests.doctor.deny import denied
from vblkfuzz.doctor.check import Found, Verdict, limited, yes
from vblkfuzz.doctor.child import child, sleep
from vblkfuzz.doctor.registry import checks
from vblkfuzz.doctor.trial import tried
from vblkfuzz.errors import InputFileError
from vblkfuzz.targets.options import NO_OPTIONS

NOBODY, DUMPABLE = 65534, 4
"""A user without privileges; PR_SET_DUMPABLE of prctl(2)."""


def hangs() -> Found:
    with child(sleep):
        time.sleep(600)
    return yes("")


def is_killed() -> Found:
    os.kill(os.getpid(), signal.SIGKILL)
    return yes("")


def fails() -> Found:
    raise ZeroDivisionError("of\nthe check")


def is_refused() -> Found:
    raise InputFileError("x.toml", "", "no")


def shouts() -> Found:
    os.write(1, b"noise\n")
    os.write(2, b"noise\n")
    return limited("x" * 1000, "do")


@pytest.mark.parametrize(
    ("look", "fact"),
    [
        (hangs, "no result within 0.3 s"),
        (is_killed, "the process that tried it has crashed"),
        (fails, "ZeroDivisionError: of the check"),
        (is_refused, "x.toml: no"),
    ],
)
def test_what_goes_wrong_is_a_fact(look: Callable[[], Found], fact: str) -> None:
    with nothing_left():
        assert tried(look, 0.3 if look is hangs else 60.0) == Found(Verdict.NO, fact)


def test_a_check_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert tried(shouts) == Found(Verdict.LIMITED, "x" * 300, "do")
    assert capfd.readouterr() == ("", "")


def test_without_another_process_no_check_can_be_tried() -> None:
    def outer() -> Found:
        denied("clone", 11)()
        return tried(shouts)

    found = tried(outer)
    assert found.fact == "no process can be started: Resource temporarily unavailable"
    assert "ulimit -u" in found.advice


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    "name", ["memfd", "events", "processes", "ptrace", "child memory", "user notification"]
)
def test_another_user_may_do_the_same(name: str) -> None:
    (check,) = (one for one in checks(NO_OPTIONS) if one.name == name)

    def look() -> Found:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        ctypes.CDLL(None).prctl(DUMPABLE, 1, 0, 0, 0)  # as exec(2) sets it
        return check.look()

    assert tried(look).verdict is Verdict.YES
