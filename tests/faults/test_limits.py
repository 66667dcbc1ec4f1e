"""Limits of the shell (ulimit)."""

from __future__ import annotations

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import ONE_WORKER, RUNS, long

pytestmark = pytest.mark.e2e

SEGFAULT = """
import ctypes
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

class Device(VirtioBlk):
    def answer_at_once(self, request):
        ctypes.string_at(0)
"""


def limited(limit: str) -> tuple[str, ...]:
    """Return a command that runs another one under a limit of prlimit(1)."""
    return ("prlimit", limit)


@pytest.mark.parametrize("files", [16, 24, 32])
@pytest.mark.fault(
    "Few open files are allowed (`ulimit -n`)",
    "125, and a line that says so; or, with enough of them, nothing at all.",
)
@long
def test_few_open_files(campaign: Campaign, files: int) -> None:
    ended = campaign.run(*ONE_WORKER, *RUNS, through=limited(f"--nofile={files}"))
    assert ended.status in (77, 125), ended.stderr
    assert "Traceback" not in ended.stderr
    if ended.status == 125:
        assert "Too many open files" in ended.stderr
    campaign.check_nothing_left()


@pytest.mark.parametrize("megabytes", [100, 200, 400])
@pytest.mark.fault(
    "Little address space is allowed (`ulimit -v`)",
    "125, and a line that says that memory is missing; or, with enough of it, nothing at all.",
)
@long
def test_little_memory(campaign: Campaign, megabytes: int) -> None:
    ended = campaign.run(*ONE_WORKER, *RUNS, through=limited(f"--as={megabytes << 20}"))
    assert ended.status in (77, 125), ended.stderr
    assert "Traceback" not in ended.stderr
    campaign.check_nothing_left()


@pytest.mark.parametrize("bytes_", [0, 1000, 20_000])
@pytest.mark.fault(
    "Only short files can be written (`ulimit -f`)", "As with a full disk; or 2 if it cannot start."
)
@long
def test_short_files_only(campaign: Campaign, bytes_: int) -> None:
    ended = campaign.run(*ONE_WORKER, *RUNS, through=limited(f"--fsize={bytes_}"))
    assert ended.status in (2, 77, 125)
    assert "Traceback" not in ended.stderr
    assert campaign.processes() == []


@pytest.mark.fault(
    "Core files are allowed, and a device crashes again and again",
    "No core file is left; the crash is one finding.",
)
@long
def test_no_core_file_is_left(campaign: Campaign) -> None:
    device = campaign.folder / "device.py"
    device.write_text(SEGFAULT)
    unlimited = limited("--core=unlimited:unlimited")
    ended = campaign.run(*ONE_WORKER, *RUNS, "--device", f"{device}:Device", through=unlimited)
    assert ended.status == 77, ended.stderr
    assert [name for name in campaign.findings() if name.startswith("crash-sigsegv-")]
    campaign.check_nothing_left()


@pytest.mark.fault("No memory can be locked (`ulimit -l 0`)", "Nothing at all.")
@long
def test_no_locked_memory(campaign: Campaign) -> None:
    ended = campaign.run(*ONE_WORKER, *RUNS, through=limited("--memlock=0"))
    assert ended.status == 77, ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()
