"""What a campaign is given: streams, folders, a user, processors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import ONE_WORKER, RUNS, long
from tests.faults.disk import private

pytestmark = pytest.mark.e2e

NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("sh", "-c", 'exec "$@"', "sh"),  # setpriv itself can run what only root can read
)


@pytest.mark.fault(
    "No HOME, no TMPDIR, and stdin, stdout and stderr are closed",
    "Nothing at all: the campaign runs and saves as ever.",
)
def test_without_home_and_streams(campaign: Campaign) -> None:
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    nothing = {"HOME": None, "TMPDIR": None}
    campaign.start(*ONE_WORKER, *RUNS, through=closed, environ=nothing)
    assert campaign.ended().status == 77
    campaign.check_files()
    assert campaign.findings()
    campaign.check_status()
    campaign.check_nothing_left()


@pytest.mark.parametrize("tmpdir", ["/nonexistent", "/proc", "/dev/null"])
@pytest.mark.fault("TMPDIR does not exist, or cannot be written", "Nothing at all.")
@long
def test_a_bad_folder_for_temporary_files(campaign: Campaign, tmpdir: str) -> None:
    ended = campaign.run(*ONE_WORKER, *RUNS, environ={"TMPDIR": tmpdir})
    assert ended.status == 77, ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.fault("There is no /dev/shm", "Nothing at all.")
@long
def test_no_shared_memory_folder(campaign: Campaign) -> None:
    read_only = private("mount -t tmpfs -o ro,size=4k none /dev/shm")
    ended = campaign.run(*ONE_WORKER, *RUNS, through=read_only)
    assert ended.status == 77, ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.fault(
    "There is no /proc", "It runs as ever, or ends with 125 and a line that says what is missing."
)
@long
def test_no_proc(campaign: Campaign) -> None:
    ended = campaign.run(*ONE_WORKER, *RUNS, through=private("mount -t tmpfs -o ro none /proc"))
    assert ended.status in (77, 125), ended.stderr
    assert "Traceback" not in ended.stderr
    if ended.status == 125:
        assert "/proc" in ended.stderr
    campaign.check_nothing_left()


@pytest.mark.fault("The user is not root (uid 65534)", "Nothing at all.")
@long
def test_another_user(campaign: Campaign) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; this one is not root anyway")
    tried = [*NOBODY, sys.executable, "-c", "import vblkfuzz.cli"]
    if subprocess.run(tried, cwd="/", stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("another user cannot read this Python, or the package")
    for folder in (campaign.folder, campaign.tmp, campaign.home):
        os.chown(folder, 65534, 65534)
    for above in campaign.folder.parents[:2]:
        above.chmod(above.stat().st_mode | 0o011)
    ended = campaign.run(*ONE_WORKER, *RUNS, through=NOBODY)
    assert ended.status == 77, ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.parametrize("workers", [2, 16])
@pytest.mark.fault(
    "Two workers, and sixteen: more than there are processors",
    "Each runs its share of the budget; the books count all of them.",
)
@long
def test_many_workers(campaign: Campaign, workers: int) -> None:
    ended = campaign.run("--workers", str(workers), "--seed", "5", "--runs", "160")
    assert (ended.status, ended.end["execs"], ended.end["restarts"]) == (77, 160, 0), ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()
