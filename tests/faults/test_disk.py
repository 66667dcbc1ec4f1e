"""The disk is full, has no more inodes, or cannot be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign, Ended
from tests.faults.conftest import LONG, ONE_WORKER, RUNS, long
from tests.faults.disk import Disk, private
from tests.waiting import until
from vblkfuzz.errors import InputFileError

pytestmark = pytest.mark.e2e

SETUP = (*ONE_WORKER, "--mode", "inline")
FULL = ("No space left on device", "disk is full", "campaign.sqlite: cannot be used: ")
"""What is said of a full disk. SQLite has words of its own for it, such as: disk I/O error."""
BALLAST = 32
"""Pages without which no campaign starts."""
PAGES = (1, *range(BALLAST, BALLAST + 90)) if LONG else (BALLAST + 9,)
INODES = range(2, 60) if LONG else (15,)


def check_after_full(campaign: Campaign, ended: Ended) -> None:
    """Check that a campaign on a full disk says so, and that the folder can be used again."""
    assert ended.status in (77, 125), ended.stderr
    assert "Traceback" not in ended.stderr
    if ended.status == 125:
        assert any(said in ended.stderr for said in FULL), ended.stderr
    told = {event["path"] for event in ended.events if event["event"] == "finding"}
    assert all((campaign.seen(Path(path)) / "finding.vblk").stat().st_size for path in told)
    assert campaign.processes() == []


@pytest.mark.parametrize("options", [f"size={4 * pages}k" for pages in PAGES])
@pytest.mark.fault(
    "The disk is full after each number of pages, from none to what a whole campaign takes",
    "Either it does not start (125, one line), or it runs to its end, saves in TMPDIR the findings "
    "that do not fit and says so (125). With space again, the next start mends half-written files.",
)
def test_a_disk_that_gets_full(campaign: Campaign, options: str) -> None:
    (campaign.folder / "disk").mkdir()
    with Disk(campaign.folder / "disk", options) as disk:
        campaign.use(disk)
        check_after_full(campaign, campaign.run(*SETUP, *RUNS))
        disk.grow()
        again = campaign.run(*SETUP, "--runs", "5", "--device", "reference", "--other-device")
        assert again.status == 0, again.stderr
        campaign.check_files()


@pytest.mark.parametrize("options", [f"nr_inodes={count}" for count in INODES])
@pytest.mark.fault("The disk has no inode left after each number of files", "As with a full disk.")
@long
def test_a_disk_without_inodes(campaign: Campaign, options: str) -> None:
    (campaign.folder / "disk").mkdir()
    with Disk(campaign.folder / "disk", options) as disk:
        campaign.use(disk)
        check_after_full(campaign, campaign.run(*SETUP, *RUNS))
        disk.grow()
        again = campaign.run(*SETUP, "--runs", "5", "--device", "reference", "--other-device")
        assert again.status == 0, again.stderr
        campaign.check_files()


@contextmanager
def filled(campaign: Campaign) -> Iterator[Disk]:
    """A disk that has become full while a campaign runs on it, which goes on."""
    (campaign.folder / "disk").mkdir()
    with Disk(campaign.folder / "disk", "size=4m") as disk:
        campaign.use(disk)
        campaign.start("--workers", "1", "--seed", "5")
        campaign.under_way()
        disk.fill()
        campaign.goes_on()
        yield disk


@pytest.mark.fault(
    "The disk becomes full in the middle of a campaign, and has space again later",
    "The campaign goes on all the time. What could not be written is said at the end (125).",
)
def test_a_disk_that_is_full_for_a_while(campaign: Campaign) -> None:
    with filled(campaign) as disk:
        disk.free()
        campaign.goes_on()
        ended = campaign.stop()
        assert ended.status == 130, ended.stderr
        assert "Traceback" not in ended.stderr
        again = campaign.run("--workers", "1", "--runs", "5")
        assert again.status in (0, 77), again.stderr
        campaign.check_files()


@pytest.mark.fault(
    "The disk becomes full and stays so",
    "The campaign ends in order. Room that it has kept from its start is for the last rows of the "
    "ledger: `status` tells that it has ended, and all its figures.",
)
@long
def test_a_disk_that_stays_full(campaign: Campaign) -> None:
    with filled(campaign):
        ended = campaign.stop()
        record = campaign.record()
        assert (record.status, record.ended is None) == (ended.status, False) == (130, False)
        assert (record.execs, record.seconds > 0) == (ended.end["execs"], True)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.fault(
    "`--json` or stderr goes to a full disk",
    "The campaign runs to its end; the folder is complete; its exit status may be 125.",
)
@long
def test_what_it_says_goes_to_a_full_disk(campaign: Campaign, stream: str) -> None:
    with open("/dev/full", "wb") as full:
        ended = campaign.run(*SETUP, *RUNS, **{stream: full})
    assert ended.status in (77, 125)
    assert campaign.record().execs == 60
    campaign.check_files()
    campaign.check_nothing_left()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.fault(
    "The reader of `--json` or of stderr goes away",
    "The same; without a reader of `--json`, 141 as other programs.",
)
@long
def test_the_reader_goes_away(campaign: Campaign, stream: str) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as pipe:
        ended = campaign.run(*SETUP, *RUNS, **{stream: pipe})
    assert ended.status == (141 if stream == "stdout" else 77), ended.stderr
    assert campaign.record().execs == 60
    assert "Traceback" not in ended.stderr
    campaign.check_files()
    campaign.check_nothing_left()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.fault(
    "`--json` or stderr is a pipe that is full, and that nobody reads",
    "The campaign goes on and ends in its time; its books are closed. What was not read of stderr "
    "is said at the end; lines of `--json` wait for their reader.",
)
@long
def test_nobody_reads_what_it_says(campaign: Campaign, stream: str) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while os.write(write, bytes(1 << 16)):
            pass
    os.set_blocking(write, True)
    with open(write, "wb") as pipe:
        said = (pipe, None) if stream == "stdout" else (None, pipe)
        campaign.start(*SETUP, *RUNS, stdout=said[0], stderr=said[1])
    if stream == "stdout":
        until(lambda: has_ended(campaign))
        until(lambda: drained(read, campaign))
    ended = campaign.ended()
    os.close(read)
    assert ended.status == 77
    assert campaign.record().execs == 60
    if stream == "stderr":
        (lost,) = [event for event in ended.events if event.get("kind") == "lost"]
        assert "not read in time" in lost["text"]
    campaign.check_files()
    campaign.check_nothing_left()


def has_ended(campaign: Campaign) -> bool:
    try:
        return campaign.record().ended is not None
    except (InputFileError, IndexError):  # it is about to be made
        return False


def drained(read: int, campaign: Campaign) -> bool:
    os.set_blocking(read, False)
    with suppress(BlockingIOError):
        os.read(read, 1 << 16)
    return campaign.process.poll() is not None


@pytest.mark.fault("The output folder is on a read-only file system", "2, and one line.")
@long
def test_a_read_only_disk(campaign: Campaign) -> None:
    campaign.out.mkdir()
    read_only = private(f"mount -t tmpfs -o ro none {campaign.out}")
    ended = campaign.run(*SETUP, *RUNS, through=read_only)
    assert (ended.status, ended.events) == (2, [])
    (line,) = ended.stderr.splitlines()
    assert "cannot be written: Read-only file system; choose another --out" in line
