"""A corpus that nobody should have."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import long

pytestmark = pytest.mark.e2e

SETUP = ("--workers", "1", "--seed", "5", "--mode", "inline")


def hostile_corpus(folder: Path) -> None:
    """Make a folder with everything that is no input."""
    folder.mkdir()
    (folder / "good").write_bytes(bytes(8))
    (folder / "empty").touch()
    (folder / ("long" * 62)).write_bytes(b"no scenario \xff")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe")).write_bytes(b"no scenario \xff")
    (folder / "two\nlines").write_bytes(b"ops = [")
    with (folder / "sparse.vblk").open("wb") as sparse:
        sparse.truncate(3 << 30)
    (folder / "loop").symlink_to("loop")
    (folder / "endless").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.path.relpath(folder / "door"))
    (folder / "itself").symlink_to(".")


@pytest.mark.fault(
    "A corpus with names that are no UTF-8 or 250 bytes long, an empty and a 3 GiB file, loops, a "
    "pipe, a socket, /dev/zero",
    "One line for each that is no input; none is copied, the others are used.",
)
@long
def test_a_hostile_corpus(campaign: Campaign) -> None:
    hostile_corpus(campaign.aside)
    ended = campaign.run(
        *SETUP, "--runs", "20", "--device", "reference", "--corpus", campaign.aside
    )
    assert ended.status == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "sparse.vblk" in ended.stderr
    taken = sum(path.lstat().st_blocks * 512 for path in campaign.out.rglob("*"))
    assert taken < 4 << 20
    campaign.check_books(ended)


@pytest.mark.fault(
    "A folder in the corpus that cannot be read",
    "One line names it; the others are used. As root, it can be read.",
)
@long
def test_a_corpus_folder_that_cannot_be_read(campaign: Campaign) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can read any folder")
    brought = campaign.aside
    (brought / "closed").mkdir(parents=True)
    (brought / "good").write_bytes(bytes(8))
    (brought / "closed").chmod(0)
    ended = campaign.run(*SETUP, "--runs", "5", "--device", "reference", "--corpus", brought)
    (brought / "closed").chmod(0o700)
    assert (ended.status, ended.stderr.count("closed")) == (0, 1), ended.stderr
