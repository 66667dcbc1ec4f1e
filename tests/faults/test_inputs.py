"""A corpus that nobody should have, and a folder with more findings than one reads."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import long
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario

pytestmark = pytest.mark.e2e

SETUP = ("--workers", "1", "--seed", "5", "--mode", "inline")
FINDINGS = 10_000
MANY = 2_000
FAST_CLOCK = """
import itertools, sys, time
if "fuzz" in sys.orig_argv:
    right, looks = time.monotonic, itertools.count()
    time.monotonic = lambda: right() + 0.1 * next(looks)
"""
"""For the orchestrator, which looks at it for each file."""
FINDING = Artifact(
    Scenario(ops=(op("init"),)),
    device="patch-v4",
    mode="inline",
    expectation=Expectation("violation", "S1", "s1"),
)


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


@pytest.mark.fault(
    "The time ends while a large corpus is imported",
    "What was imported is used; a line says how many of how many files that was.",
)
@long
def test_an_import_that_takes_too_long(campaign: Campaign) -> None:
    environ = campaign.alter(FAST_CLOCK)
    brought = campaign.folder / "aside" / "brought"
    brought.mkdir()
    for number in range(MANY):
        (brought / f"{number}.bin").write_bytes(number.to_bytes(8))
    setup = ("--device", "reference", "--runs", "5", "--max-total-time", "50")
    ended = campaign.run(*SETUP, *setup, "--corpus", brought, environ=environ)
    assert ended.status == 0, ended.stderr
    (said,) = re.findall(f" ([0-9]+) of {MANY:,} files imported, the 50 s", ended.stderr)
    assert 0 < int(said) <= len(campaign.inputs())
    campaign.check_books(ended)


@pytest.mark.fault(
    "An output folder with 10,000 findings",
    "A campaign goes on in it; `status` and `triage` answer, page by page, and so does the report.",
)
@long
def test_ten_thousand_findings(campaign: Campaign) -> None:
    data = dump_artifact(FINDING)
    for number in range(FINDINGS):
        folder = campaign.out / "findings" / f"s1-{number:05}"
        folder.mkdir(parents=True)
        (folder / "finding.vblk").write_bytes(data)
    ended = campaign.run(*SETUP, "--runs", "60", "--no-minimize")
    assert (ended.status, ended.end["saved"]) == (77, FINDINGS + len(ended.end["findings"]))
    campaign.check_status()
    shown = campaign.verb("triage", str(campaign.out))
    assert shown.returncode in (0, 77), shown.stderr
    assert len(shown.stdout) < 1 << 20
    report = campaign.aside
    done = campaign.verb("export", str(campaign.out), "--to", "html", "-o", str(report))
    assert done.returncode in (0, 77), done.stderr
    assert report.stat().st_size < 4 << 20, "a page, and a line for each of the others"
