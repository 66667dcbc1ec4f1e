"""What the command does with a stdout or stderr that cannot be written, and with ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.checkout import CHECKOUT
from vblkfuzz.store.history import read_history

pytestmark = pytest.mark.e2e

FULL = Path("/dev/full")
"""Each write to it fails with ENOSPC."""
LOST = "vblkfuzz: standard output: cannot be written: No space left on device\n"
BUG = str(CHECKOUT / "corpus/regress/s1-reset-in-drain")
SCENARIO = f"{BUG}/scenario.toml"
PRINT = {
    "help": ("--help",),
    "help of a verb": ("replay", "--help"),
    "version": ("--version",),
    "list": ("list", "rules"),
    "show": ("show", SCENARIO),
    "replay": ("replay", "--mode", "inline", BUG),
    "replay --json": ("replay", "--mode", "inline", "--json", BUG),
    "bisect --json": ("bisect", "--json", BUG),
    "export": ("export", BUG, "--to", "pytest", "-o", "-"),
}
"""Commands that print something, by what prints it."""


def run(
    *arguments: str, stdout: IO[bytes] | int, stderr: IO[bytes] | int
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "vblkfuzz", *arguments]
    return subprocess.run(command, stdout=stdout, stderr=stderr, check=False)


@pytest.mark.parametrize("command", PRINT)
def test_a_full_disk_behind_stdout(command: str) -> None:
    with FULL.open("wb") as full:
        done = run(*PRINT[command], stdout=full, stderr=subprocess.PIPE)
    # What -o names is judged as any other file that cannot be written.
    status = 2 if "-o" in PRINT[command] else 125
    assert (done.returncode, done.stderr.decode()) == (status, LOST)


def test_a_full_disk_behind_stdout_ends_no_campaign(tmp_path: Path) -> None:
    setup = ("--runs", "3", "--workers", "1", "--seed", "3", "--mode", "inline")
    with FULL.open("wb") as full:
        done = run(
            *("fuzz", "--json", *setup, "--out", str(tmp_path)), stdout=full, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr.decode().splitlines(keepends=True)[-1]) == (125, LOST)
    (record,) = read_history(tmp_path / "campaign.sqlite").campaigns
    assert (record.execs, record.status) == (3, 125) and record.ended


SHORT = ("--runs", "3", "--workers", "1", "--seed", "3", "--mode", "inline", "--no-minimize")


def test_a_reader_of_stdout_that_has_gone_ends_no_campaign(tmp_path: Path) -> None:
    """As with `| head -1`; the campaign is done to its end, and its books are right."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(
            *("fuzz", "--json", *SHORT, "--out", str(tmp_path)),
            stdout=writing,
            stderr=subprocess.PIPE,
        )
    finally:
        os.close(writing)
    last = done.stderr.decode().splitlines()[-1]
    assert (done.returncode, last) == (141, "vblkfuzz: lines of --json were lost: Broken pipe")
    (record,) = read_history(tmp_path / "campaign.sqlite").campaigns
    assert (record.execs, record.status) == (3, 141) and record.ended


@pytest.mark.parametrize("verb", ["fuzz", "ci"])
def test_a_summary_that_is_lost_is_the_status_in_the_ledger(verb: str, tmp_path: Path) -> None:
    """It is written when the campaign has ended, and so has its ledger."""
    budget = SHORT if verb == "fuzz" else (*SHORT[:-1], "--budget", "1h")
    with FULL.open("wb") as full:
        done = run(verb, *budget, "--out", str(tmp_path), stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, LOST in done.stderr.decode()) == (125, True)
    (record,) = read_history(tmp_path / "campaign.sqlite").campaigns
    assert (record.execs, record.status) == (3, 125)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_full_disk_behind_stderr_ends_no_campaign(as_json: bool, tmp_path: Path) -> None:
    more = ("--json",) if as_json else ()
    with FULL.open("wb") as full:
        done = run(
            *("fuzz", *more, *SHORT, "--out", str(tmp_path)), stdout=subprocess.PIPE, stderr=full
        )
    assert done.returncode in (0, 77)
    said = "essages on standard error"
    assert done.stdout.decode().count(said) == 1
    (record,) = read_history(tmp_path / "campaign.sqlite").campaigns
    assert record.execs == 3 and record.ended


@pytest.mark.parametrize("command", PRINT)
def test_a_reader_of_stdout_that_has_gone(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(*PRINT[command], stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


MESSAGES = {
    "an unknown verb": (2, ("dance",)),
    "a missing argument": (2, ("show",)),
    "a file that is not there": (2, ("show", "/none.toml")),
    "a violation beside it": (77, ("replay", "--mode", "inline", BUG, "/none.toml")),
}
"""Commands that write to stderr, with their exit codes."""


@pytest.mark.parametrize("command", MESSAGES)
def test_a_full_disk_behind_stderr_changes_no_exit_code(command: str) -> None:
    status, arguments = MESSAGES[command]
    with FULL.open("wb") as full:
        done = run(*arguments, stdout=subprocess.PIPE, stderr=full)
    assert done.returncode == status


@pytest.mark.parametrize("command", MESSAGES)
def test_a_reader_of_stderr_that_has_gone_changes_no_exit_code(command: str) -> None:
    status, arguments = MESSAGES[command]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(*arguments, stdout=subprocess.PIPE, stderr=writing)
    finally:
        os.close(writing)
    assert done.returncode == status


@pytest.mark.parametrize(
    ("status", "arguments"),
    [(0, ("list", "rules")), (77, ("replay", BUG)), (2, ("show", "/none.toml"))],
)
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_descriptors_that_are_closed(
    closed: str, status: int, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """Nothing of the program gets their numbers, so nothing is printed into it."""
    line = f'"$@" {closed}'
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "vblkfuzz", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == status
    assert b"Traceback" not in done.stderr


SPOT = """
import os, signal, sys
from vblkfuzz.cli import main

class Presses:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Presses())
sys.argv = ["vblkfuzz", "compare", "--target", "model", "--binaries", "patch-v4", "patch-v4"]
main()
"""


@pytest.mark.parametrize(
    "name",
    ["vblkfuzz.cli.app", "typer", "vblkfuzz.cli.verbs.fuzz", "vblkfuzz.compare.inputs"],
)
def test_ctrl_c_while_it_is_loading(name: str, tmp_path: Path) -> None:
    script = SPOT.format(name=name, number=signal.SIGINT.value)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", ["typer", "vblkfuzz.compare.inputs"])
def test_other_ends_while_it_is_loading(name: str, number: int, tmp_path: Path) -> None:
    script = SPOT.format(name=name, number=int(number))
    done = subprocess.run(
        # As from a shell, also where the tests run under nohup.
        ["env", "--default-signal", sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (72, b"", b"")


def test_little_is_loaded_before_ctrl_c_is_handled() -> None:
    """Until then, a traceback tells where ctrl-C was pressed."""
    path = [str(CHECKOUT)]
    script = f"import sys; sys.path[:0] = {path}; import vblkfuzz.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, check=True
    )
    loaded = set(done.stdout.decode().split())
    assert "vblkfuzz.cli" in loaded
    assert not loaded & {"typing", "re", "typer", "pathlib"}


def test_a_name_that_the_locale_cannot_show(tmp_path: Path) -> None:
    name = tmp_path / "\u4e2d.toml"
    name.write_text("format = 1\nops = []\n")
    done = subprocess.run(
        [sys.executable, "-m", "vblkfuzz", "replay", "--mode", "inline", str(name)],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u4e2d.toml" in done.stdout


def test_ctrl_c_that_the_shell_has_turned_off(tmp_path: Path) -> None:
    script = (
        SPOT.format(name="typer", number=signal.SIGINT.value)
        .replace("compare", "list")
        .replace('"--target", "model", "--binaries", "patch-v4", "patch-v4"', '"targets"')
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert (done.returncode, done.stderr) == (0, b"")
