"""The names of crashes: scripts that end as real devices do, by their words and their signal."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence

import pytest

from vblkfuzz.oracle.judge import judge
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.child import Child
from vblkfuzz.targets.device_end import Ending
from vblkfuzz.targets.ending import ending_of, refusal_of
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import OP
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

NOISE = "qemu-storage-daemon: vu_panic: Error while writing: Bad file descriptor"
ASSERT = "qsd: ../../block/io.c:{}: write_prepare: Assertion `child->perm & PERM_WRITE' failed."
GLIB = "**\nERROR:../hw/blk.c:{}:blk_drain: assertion failed: (s->quiesced)"
SANITIZER = (
    "=={}==ERROR: AddressSanitizer: heap-use-after-free on address 0x60{}\n #0 0x{} in blk_push\n"
    "SUMMARY: AddressSanitizer: heap-use-after-free ../hw/blk.c:{}:3 in blk_push\nShadow bytes:"
)
PANIC = "thread 'vring' panicked at src/ring.rs:{}:5:\nindex out of bounds: the len is {} but"
ABORT = "Unexpected error in bdrv_check_perm() at ../block.c:{}:\nqsd: Block node is in use"
TERMINATE = "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  no {}"

SAID = {
    "assert": (ASSERT, "ABRT", "sigabrt-write_prepare-", "in write_prepare (io.c, line 1)"),
    "g_assert": (GLIB, "ABRT", "sigabrt-blk_drain-", "(assertion failed: (s->quiesced)) in blk_"),
    "g_error": ("(q:{}): Q-ERROR **: 12:00: no {} left", "TRAP", "sigtrap-", "(no 1 left)"),
    "sanitizer": (SANITIZER, "1", "exit-blk_push-", "status 1 (heap-use-after-free) in blk_push"),
    "undefined": ("../a.c:{}:3: runtime error: shift by {}", "ILL", "sigill-", "in a.c, line 1"),
    "panic": (
        PANIC,
        "101",
        "exit-",
        "status 101 (index out of bounds: the len is 1 but) in ring.rs",
    ),
    "old panic": ("thread 'a' panicked at 'no {}', src/a.rs:{}:2", "ABRT", "sigabrt-", "(no 1)"),
    "error_abort": (ABORT, "ABRT", "sigabrt-bdrv_check_perm-", "(qsd: Block node is in use) in"),
    "hw_error": (
        "qemu: hardware error: bad {}\nCPU #0:",
        "ABRT",
        "sigabrt-",
        "(hardware error: bad",
    ),
    "terminate": (TERMINATE, "ABRT", "sigabrt-", "bad_alloc' what(): no 1)"),
    "malloc": ("double free or corruption (fasttop)", "ABRT", "sigabrt-", "(double free or corr"),
    "free": ("free(): invalid pointer", "ABRT", "sigabrt-", "(free(): invalid pointer)"),
    "stack": (
        "*** stack smashing detected ***: terminated",
        "ABRT",
        "sigabrt-",
        "(*** stack smash",
    ),
}
"""What a device writes, how it ends, the signature it gets, a part of the sentence."""


def crash(said: Sequence[str], end: str) -> tuple[Violation, str]:
    """Run a script that writes lines and ends by a signal or a status; return the finding."""
    how = f"exit {end}" if end.isdigit() else f"kill -{end} $$"
    lines = "".join(f"echo {shlex.quote(line)} >&2; " for line in said)
    child = Child(["/bin/sh", "-c", f"{lines}{how}"], ())
    try:
        ending = ending_of(child, guest_waits=False)
    finally:
        child.end()
    assert ending is not None
    return found(ending), ending.report


def found(ending: Ending) -> Violation:
    """Return the violation of a trace that ends so."""
    events = (Event(1, OP), Event(2, ending.kind, **ending.fields))
    trace = Trace(events, witnesses=Witness.PROCESS, report=ending.report, fault=ending.fault)
    (violation,) = judge(Scenario(), trace).violations
    return violation


def test_a_state_that_is_refused() -> None:
    """The process lives, and its last line is the name."""
    names = []
    for number in (1, 22):
        lines = f"echo first; echo no ring {number}"
        child = Child(["/bin/sh", "-c", f"({lines}) >&2; exec sleep 60"], ())
        while "ring" not in child.words():
            time.sleep(0.001)
        ending = refusal_of(child)
        child.end()
        violation = found(ending)
        assert violation.sentence.startswith(
            f"The device process cannot load the state that it has saved (no ring {number}), at "
        )
        names.append(violation.signature)
    assert len(set(names)) == 1
    assert names[0].startswith("crash-load-")


@pytest.mark.parametrize("kind", SAID)
def test_a_crash_is_named_by_what_the_device_said(kind: str) -> None:
    text, end, signature, sentence = SAID[kind]
    violation, report = crash([NOISE, text.replace("{}", "1")], end)
    assert violation.signature.startswith(f"crash-{signature}")
    assert sentence in violation.sentence
    assert violation.path == ""
    assert NOISE in report
    later, _ = crash([text.replace("{}", "27"), NOISE], end)
    assert later.signature == violation.signature


def test_two_assertions_are_two_bugs() -> None:
    names = {
        crash([text.format(7)], "ABRT")[0].signature
        for text in (ASSERT, ASSERT.replace("perm", "mode"), ASSERT.replace("write_", "read_"))
    }
    assert len(names) == 3


def test_a_number_in_an_expression_counts() -> None:
    names = {
        crash([ASSERT.format(1).replace("perm", f"n > {n}")], "ABRT")[0].signature for n in (0, 1)
    }
    assert len(names) == 2


def test_a_device_that_exits_is_named_by_its_last_line() -> None:
    first, _ = crash(["2026-11-29T00:56:37.42Z qemu: no room for 3"], "1")
    again, _ = crash(["2026-11-29T00:57:01.00Z qemu: no room for 4"], "1")
    other, _ = crash(["qemu: cannot reopen"], "1")
    assert first.signature == again.signature != other.signature
    assert "ended with exit status 1 (qemu: no room for 3), at turn 2" in first.sentence


def test_what_the_device_said_before_a_fault_is_not_its_place() -> None:
    """Such a line may be of an earlier scenario, or of another thread."""
    quiet, _ = crash([], "SEGV")
    noisy, _ = crash([NOISE, GLIB.format(3)], "SEGV")
    assert quiet.signature == noisy.signature
    assert quiet.signature.startswith("crash-sigsegv")
    assert quiet.signature != crash([], "BUS")[0].signature


@pytest.mark.parametrize("number", ["KILL", "TERM", "INT", "HUP"])
def test_a_process_that_was_killed_did_not_crash(number: str) -> None:
    # A shell cannot take back that a signal is ignored, as SIGHUP is under nohup.
    child = Child(["env", "--default-signal", "/bin/sh", "-c", f"kill -{number} $$"], ())
    try:
        assert ending_of(child, guest_waits=False) is None
    finally:
        child.end()
