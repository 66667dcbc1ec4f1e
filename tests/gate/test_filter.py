"""Which calls ask the gate: a long write(2), and no other."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.gate.program import NEEDS_GATE, listening, next_stop
from vblkfuzz.gate.filter import EVENTFD_BYTES, program
from vblkfuzz.gate.installation import Installation
from vblkfuzz.gate.listener import Listener

pytestmark = NEEDS_GATE

OTHER_CALLS = """
import array, socket
file = os.memfd_create("file")
long = b"longer than an eventfd"
a, b = socket.socketpair()
os.writev(file, [long, long])
os.pwrite(file, long, 0)
a.send(long); a.sendmsg([long]); b.recv(100)
os.write(file, bytes(8))
os.eventfd_write(os.eventfd(0), 1)
line(b"the_end")
"""


def test_a_long_write_asks() -> None:
    with listening("os.write(null, bytes(8)); os.write(null, bytes(9))") as (_, listener):
        assert next_stop(listener).size == EVENTFD_BYTES + 1


def test_other_calls_pass() -> None:
    with listening(OTHER_CALLS) as (_, listener):
        assert b"the_end" in listener.text(next_stop(listener))


def test_each_thread_asks() -> None:
    code = "for n in range(3): begin(b'%d' % n, lambda: line(b'x'))\nline(b'x')\ntime.sleep(99)"
    with listening(code) as (process, listener):
        stops = [next_stop(listener) for _ in range(4)]
        threads = {int(task) for task in os.listdir(f"/proc/{process.pid}/task")}
    assert {stop.thread for stop in stops} == threads
    assert len(threads) == 4


def test_an_execve_keeps_it() -> None:
    again = "import os; os.write(1, b'1@0.0:after_it x')"
    code = f"os.execv({'sys.executable'}, ['python', '-I', '-S', '-c', {again!r}])"
    with listening(code) as (_, listener):
        # The memory of the program before is gone; that of the one after it is read.
        assert listener.text(next_stop(listener)) == b"1@0.0:after_it x"


@pytest.mark.skipif(os.getuid() != 0, reason="the tests have no privileges anyway")
def test_it_needs_no_privilege() -> None:
    installation = Installation()

    def prepare() -> None:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        installation.prepare()

    command = ["/bin/sh", "-c", "grep -E 'CapEff|NoNewPrivs' /proc/self/status"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, preexec_fn=prepare) as process:  # noqa: PLW1509
        listener = Listener(installation.listener(), process.pid)
        try:
            stop = next_stop(listener)
            listener.carry_out(stop)
            assert process.stdout is not None
            assert process.stdout.read().split() == [b"CapEff:", b"0" * 16, b"NoNewPrivs:", b"1"]
        finally:
            process.kill()
            listener.close()
            installation.close()


def test_a_program_that_cannot_be_executed(tmp_path: os.PathLike[str]) -> None:
    """The message of Popen's child about it is short enough to pass."""
    installation = Installation()
    try:
        with pytest.raises(FileNotFoundError):
            subprocess.Popen([f"{tmp_path}/none"], preexec_fn=installation.prepare)  # noqa: PLW1509
    finally:
        installation.close()


def test_an_instruction_has_eight_bytes() -> None:
    assert len(program()) % 8 == 0
