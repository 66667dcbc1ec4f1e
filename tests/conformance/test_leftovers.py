"""What is left behind on purpose is found, and what others leave is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conformance.leftovers import await_end, files_left_by, nothing_left, shared_files

Leave = Callable[[ExitStack], object]
"""Leaves something; the stack removes it after the test."""


def leave_fd(stack: ExitStack) -> None:
    stack.callback(os.close, os.open("/dev/null", os.O_RDONLY))


def leave_socket(stack: ExitStack) -> None:
    stack.enter_context(socket.socket(socket.AF_UNIX))


def leave_process(stack: ExitStack) -> None:
    sleeper = stack.enter_context(program("import time; time.sleep(3600)"))
    stack.callback(sleeper.kill)


def leave_zombie(stack: ExitStack) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    stack.callback(os.waitpid, pid, 0)


def leave_core(stack: ExitStack) -> None:
    cores = os.sched_getaffinity(0)
    if len(cores) == 1:
        pytest.skip("there is one core only")
    stack.callback(os.sched_setaffinity, 0, cores)
    os.sched_setaffinity(0, {min(cores)})


@contextmanager
def program(text: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that says a line when it is under way, if it says anything."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process


@pytest.mark.parametrize("leave", [leave_fd, leave_socket, leave_process, leave_zombie, leave_core])
def test_what_is_left_is_found(leave: Leave) -> None:
    with ExitStack() as stack, pytest.raises(AssertionError), nothing_left():
        leave(stack)


def bind(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


@pytest.mark.parametrize("make", [os.mkdir, bind, lambda path: Path(path).touch()])
def test_a_name_that_is_left_is_found(
    make: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.waiting.WAIT_S", 0)
    with pytest.raises(AssertionError, match="not true within"), nothing_left():
        make(os.path.join(tempfile.gettempdir(), "left"))


def test_the_temporary_folder_is_given_back() -> None:
    before = tempfile.gettempdir(), os.environ.get("TMPDIR")
    with nothing_left():
        assert tempfile.gettempdir() == os.environ["TMPDIR"] != before[0]
    assert (tempfile.gettempdir(), os.environ.get("TMPDIR")) == before


def test_what_goes_in_time_is_not_left() -> None:
    with nothing_left():
        with program("print(1, flush=True)") as process:
            below = psutil.Process(process.pid)
        await_end([below])


# --- Shared memory ------------------------------------------------------------------------------

OPENS = "file = open('/dev/shm/' + name, 'x')"
MAPS = (
    "import mmap; file = open('/dev/shm/' + name, 'xb+', 0); file.truncate(1); "
    "memory = mmap.mmap(file.fileno(), 1); file.close()"
)
UNLINKS = "import os; os.unlink('/dev/shm/' + name)"


@pytest.fixture
def name() -> Iterator[str]:
    """A name in /dev/shm that there is not yet; not there after the test either."""
    name = f"vblkfuzz-left-{os.getpid()}"
    yield name
    Path("/dev/shm", name).unlink(missing_ok=True)


@pytest.mark.parametrize("makes", [OPENS, MAPS, f"{OPENS}; {UNLINKS}"])
def test_shared_files_of_a_process_of_ours_are_found(makes: str, name: str) -> None:
    assert shared_files() == set()
    with program(f"name = {name!r}; {makes}; print(flush=True); input()") as process:
        assert process.stdout and process.stdin
        process.stdout.readline()
        (found,) = shared_files()
        process.kill()
    assert found.removesuffix(" (deleted)") == f"/dev/shm/{name}"


def test_shared_files_of_our_own_are_found(name: str) -> None:
    with Path("/dev/shm", name).open("x"):
        assert shared_files() == {f"/dev/shm/{name}"}
    assert shared_files() == set()


def test_shared_files_of_others_do_not_count(name: str) -> None:
    Path("/dev/shm", name).touch()
    assert shared_files() == set()
    assert files_left_by("pass") == []


@pytest.mark.parametrize("makes", [f"{OPENS}; file.close()", MAPS])
def test_files_of_a_process_that_has_ended_are_found(makes: str) -> None:
    made = f"import os\nif os.fork() == 0:\n    name = 'left'; {makes}; os._exit(0)\nos.wait()"
    assert files_left_by(made) == ["left"]
