"""Where a verb may write: a file, a pipe, a device; and what it says of anything else."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.waiting import WAIT_S

both = pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])


def trace_to(cli: Cli, finding: Path, output: Path | str, *more: str) -> tuple[int, str]:
    result = cli("export", finding, "--to", "perfetto", "-o", output, *more)
    return result.exit_code, result.stderr


@both
def test_a_pipe_is_written(cli: Cli, finding: Path, tmp_path: Path, force: tuple[str, ...]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # open before the verb looks for a reader
    os.set_blocking(reader, True)
    read: list[str] = []
    with open(reader) as file:
        thread = threading.Thread(target=lambda: read.append(file.read()))
        # A writer of the test's own: until the verb is there the reader must not see an end.
        writer = os.open(pipe, os.O_WRONLY)
        thread.start()
        assert trace_to(cli, finding, pipe, *force) == (0, "")
        os.close(writer)
        thread.join(WAIT_S)
    assert json.loads(read[0])["otherData"]["verdict"] == "violation"
    assert pipe.is_fifo()


@both
def test_a_pipe_without_a_reader(
    cli: Cli, finding: Path, tmp_path: Path, force: tuple[str, ...]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line = f"vblkfuzz: {pipe}: cannot be written: no program reads this pipe\n"
    assert trace_to(cli, finding, pipe, *force) == (2, line)
    assert pipe.is_fifo()


@both
def test_a_full_device(cli: Cli, finding: Path, force: tuple[str, ...]) -> None:
    line = "vblkfuzz: /dev/full: cannot be written: No space left on device\n"
    assert trace_to(cli, finding, "/dev/full", *force) == (2, line)
    assert Path("/dev/full").is_char_device()


@both
def test_a_device_that_takes_all(cli: Cli, finding: Path, force: tuple[str, ...]) -> None:
    assert trace_to(cli, finding, "/dev/null", *force) == (0, "")
    assert Path("/dev/null").is_char_device()


def test_the_name_of_standard_output(cli: Cli, finding: Path) -> None:
    result = cli("export", finding, "--to", "perfetto", "-o", "/dev/stdout", "--force")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["otherData"]["verdict"] == "violation"
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.e2e
def test_standard_output_as_a_pipe_and_as_a_file(finding: Path, tmp_path: Path) -> None:
    command = [*(sys.executable, "-m", "vblkfuzz", "export", str(finding))]
    command += ["--to", "perfetto", "-o", "/dev/stdout"]
    limit = (4 << 30, 4 << 30)
    piped = subprocess.run(
        command,
        capture_output=True,
        timeout=WAIT_S,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
    )
    assert json.loads(piped.stdout)["otherData"]["verdict"] == "violation"
    with (tmp_path / "trace.json").open("wb") as file:
        subprocess.run(command, stdout=file, timeout=WAIT_S, check=True)
    assert (tmp_path / "trace.json").read_bytes() == piped.stdout


@both
@pytest.mark.parametrize("verb", ["export", "encode", "minimize"])
def test_a_folder_is_refused(
    cli: Cli, finding: Path, tmp_path: Path, verb: str, force: tuple[str, ...]
) -> None:
    folder = tmp_path / "folder.vblk"
    folder.mkdir()
    more = ("--to", "perfetto") if verb == "export" else ()
    result = cli(verb, finding, "-o", folder, *more, *force)
    line = f"vblkfuzz: {folder}: expected a file, found a folder\n"
    assert (result.exit_code, result.output) == (2, line)


@pytest.mark.parametrize("verb", ["encode", "minimize"])
def test_a_pipe_of_the_right_name_is_no_file_to_replace(
    cli: Cli, finding: Path, tmp_path: Path, verb: str
) -> None:
    pipe = tmp_path / "pipe.vblk"
    os.mkfifo(pipe)
    result = cli(verb, finding, "-o", pipe, "--force")
    assert result.exit_code == 2
    assert result.stderr == f"vblkfuzz: {pipe}: cannot be written: no program reads this pipe\n"
    assert pipe.is_fifo()


def test_a_socket_is_refused(cli: Cli, finding: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        line = f"vblkfuzz: {tmp_path / 's'}: expected a file, found a socket\n"
        assert trace_to(cli, finding, tmp_path / "s", "--force") == (2, line)


def test_a_link_stays_and_its_file_is_replaced(cli: Cli, finding: Path, tmp_path: Path) -> None:
    file, link, free = tmp_path / "file", tmp_path / "link", tmp_path / "free"
    file.write_text("precious")
    link.symlink_to(file)
    free.symlink_to(tmp_path / "new")
    assert trace_to(cli, finding, link)[0] == 2
    assert file.read_text() == "precious"
    assert trace_to(cli, finding, link, "--force") == (0, "")
    assert trace_to(cli, finding, free) == (0, "")
    assert link.is_symlink()
    assert free.is_symlink()
    assert file.read_bytes() == (tmp_path / "new").read_bytes()


def test_a_large_file_is_not_read(cli: Cli, finding: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, 1 << 42)
    line = f"vblkfuzz: {large}: exists with other content; --force replaces it\n"
    assert trace_to(cli, finding, large) == (2, line)
    assert large.stat().st_size == 1 << 42


def test_no_such_folder_is_said_before_the_input_is_read(cli: Cli, tmp_path: Path) -> None:
    output = tmp_path / "none" / "x"
    line = f"vblkfuzz: {output}: cannot be written: no such folder\n"
    assert trace_to(cli, tmp_path / "no-input", output) == (2, line)


def test_links_in_a_circle(cli: Cli, finding: Path, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    line = f"vblkfuzz: {loop}: cannot be written: Too many levels of symbolic links\n"
    assert trace_to(cli, finding, loop, "--force") == (2, line)


@pytest.mark.parametrize(
    ("where", "why"),
    [(">&-", "it is closed"), (">/dev/full", "No space left on device")],
)
@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output_is_an_output_like_others(
    finding: Path, where: str, why: str, name: str
) -> None:
    verb = ("-m", "vblkfuzz", "export", str(finding), "--to", "perfetto", "-o", name)
    command = ["sh", "-c", f'"$@" {where}', "sh", sys.executable, *verb]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"vblkfuzz: standard output: cannot be written: {why}\n"
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.parametrize("verb", [("export", "--to", "html"), ("encode",), ("minimize",)])
def test_an_empty_name(cli: Cli, finding: Path, verb: tuple[str, ...]) -> None:
    result = cli(verb[0], finding, *verb[1:], "-o", "")
    line = "vblkfuzz: --output: expected the name of a file, found an empty argument\n"
    assert (result.exit_code, result.stderr) == (2, line)
