"""The store of several nodes fails, or the nodes do."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults.campaign import Campaign, Ended
from tests.faults.conftest import LONG, long
from tests.faults.store_fault import FAULT, PROTOCOL, REGISTERED, calls
from tests.soak.nodes_killed import DEVICE, FINDINGS, Nodes, losses
from tests.waiting import until
from vblkfuzz._version import __version__
from vblkfuzz.store.shared_files import FolderFiles
from vblkfuzz.store.shared_store import SharedStore
from vblkfuzz.store.store_summary import summary_of

pytestmark = pytest.mark.e2e

KILLS = 10 if LONG else 2
SETUP = ("--device", DEVICE, "--mode", "inline", "--workers", "1", "--seed", "5")


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    """Two nodes of a store; what is left of them ends with the test."""
    both = Nodes(tmp_path / "nodes", 2, DEVICE)
    yield both
    both.kill_all()


@pytest.mark.fault(
    "All processes of a random node of a store are killed, several times; then those of all nodes",
    "They go on. The store gets all findings that there are, and no other. A node that is started "
    "again has at least 99 % of its features before it has run anything new.",
)
def test_nodes_are_killed(nodes: Nodes) -> None:
    chance = random.Random(18)
    for node in range(2):
        nodes.start(node)
    for _ in range(KILLS):
        node = chance.randrange(2)
        nodes.campaigns[node].until(nodes.campaigns[node].inputs)
        nodes.campaigns[node].goes_on()
        nodes.kill(node)
        nodes.start(node)
    until(lambda: set(nodes.store.signatures()) >= FINDINGS)
    for one in nodes.campaigns:
        one.goes_on()
    nodes.kill_all()
    before = nodes.features()
    assert list(losses(before, nodes.started_again())) == []
    summary = summary_of(nodes.store)
    assert {one.signature for one in summary.findings} == FINDINGS
    assert (len(summary.nodes), summary.damaged) == (2, ())


@pytest.fixture
def fault(campaign: Campaign) -> Path:
    """The file that says what is wrong with the store of a campaign; nothing is, at first."""
    pytest.importorskip("fsspec", reason="needs the extra store: pip install vblkfuzz[store]")
    campaign.aside.mkdir()
    place = campaign.aside / "fault"
    place.write_text("")
    return place


def begin(campaign: Campaign, fault: Path, *more: str) -> SharedStore:
    """Start a campaign with a store that may fail; return the store, which does not fail for us."""
    folder = campaign.aside / "store"
    environ = {**campaign.alter(REGISTERED), FAULT: str(fault)}
    campaign.start(*SETUP, "--store", f"{PROTOCOL}://{folder}", *more, environ=environ)
    return SharedStore(FolderFiles(folder))


def check(campaign: Campaign, ended: Ended, said: str) -> None:
    """Check that the campaign did all of its work, and said once what is wrong."""
    assert ended.stderr.count(said) == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.fault(
    "Each call of the store takes 5 s; or it never answers",
    "The campaign runs its budget meanwhile and ends: no call is from its main thread. It says "
    "that the last exchange has failed; the next campaign of this folder uploads what is missing.",
)
@pytest.mark.parametrize("what", ["hangs", "slow"])
@long
def test_a_store_that_is_slow(campaign: Campaign, fault: Path, what: str) -> None:
    fault.write_text(what)
    store = begin(campaign, fault, "--runs", "100")
    ended = campaign.ended()
    assert ended.end["execs"] == 100
    assert set(calls(fault)) == {"exchange"}
    check(campaign, ended, "the last exchange has failed: it is slow; what it lacks is in")
    fault.write_text("")
    begin(campaign, fault, "--runs", "1")
    campaign.check_books(campaign.ended())
    assert campaign.findings() <= set(store.signatures())
    assert summary_of(store).inputs > 1


@pytest.mark.fault(
    "The store is full, read-only, leaves half-written files or lists what was there long ago, for "
    "a while",
    "The campaign goes on, and says so once. When the store works again, all arrives there; what "
    "is half-written is left out.",
)
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("full", "No space left on device; the campaign goes on, and tries again"),
        ("read-only", "Read-only file system; the campaign goes on, and tries again"),
        ("half", "Input/output error; the campaign goes on, and tries again"),
        ("stale", "exec"),
    ],
)
@long
def test_a_store_that_fails_for_a_while(
    campaign: Campaign, fault: Path, what: str, said: str
) -> None:
    fault.write_text(what)
    store = begin(campaign, fault)
    campaign.until(lambda: said in campaign.stderr())
    campaign.under_way()
    fault.write_text("")
    campaign.goes_on()
    ended = campaign.stop(signal.SIGTERM)
    assert ended.status == 72
    if what != "stale":
        check(campaign, ended, said)
    assert campaign.findings() == {one.signature for one in store.findings()}
    assert {
        one.name for path in store.packs() if (pack := store.pack(path)) for one in pack.entries
    }


@pytest.mark.fault(
    "The store is deleted while it is used",
    "The campaign goes on and leaves in order. The next one of its folder makes the store anew, "
    "with all its findings and inputs.",
)
@long
def test_a_store_that_is_deleted(campaign: Campaign, fault: Path) -> None:
    store = begin(campaign, fault)
    campaign.until(store.signatures)
    shutil.rmtree(campaign.aside / "store")
    campaign.goes_on()
    ended = campaign.stop(signal.SIGTERM)
    assert (ended.status, "Traceback" in ended.stderr) == (72, False), ended.stderr
    shutil.rmtree(campaign.aside / "store", ignore_errors=True)
    begin(campaign, fault, "--runs", "1")
    campaign.check_books(campaign.ended())
    assert campaign.findings() == {one.signature for one in store.findings()}
    assert store.about() is not None
    assert summary_of(store).inputs > 1


OTHER: Final = """
import datetime
import vblkfuzz._version
vblkfuzz._version.__version__ = "0.0.9"
Right = datetime.datetime
class Datetime(Right):
    @classmethod
    def now(cls, tz=None):
        return Right.now(tz) - datetime.timedelta(hours=1)
datetime.datetime = Datetime
"""


@pytest.mark.fault(
    "Two nodes of a store are of different versions, and their clocks are an hour apart",
    "They share inputs and findings; each runs those of the other. `status` shows the times of "
    "each by its own clock.",
)
@long
def test_nodes_that_differ(nodes: Nodes) -> None:
    old, new = nodes.campaigns
    nodes.start(0, "--runs", "100", environ=old.alter(OTHER))
    old.check_books(old.ended())
    nodes.start(1, "--runs", "100")
    new.check_books(new.ended())
    packs = [pack for path in nodes.store.packs() if (pack := nodes.store.pack(path))]
    assert {one.version for one in packs} == {"0.0.9", __version__}
    theirs = {entry.name for one in packs if one.version == "0.0.9" for entry in one.entries}
    assert theirs <= new.inputs()
    summary = summary_of(nodes.store)
    assert summary.execs == 200
    first, second = sorted(summary.runs, key=lambda one: one.version != "0.0.9")
    assert first.written < second.started
    assert {one.signature for one in summary.findings} == old.findings() | new.findings()


@pytest.mark.fault(
    "SIGTERM of a node of a store",
    "It uploads what it has and leaves, with 72.",
)
@long
def test_a_node_is_told_to_leave(nodes: Nodes) -> None:
    nodes.start(0)
    (node, _) = nodes.campaigns
    node.under_way()
    ended = node.stop(signal.SIGTERM)
    assert ended.status == 72
    node.check_books(ended)
    assert node.findings() == set(nodes.store.signatures())
    (beat,) = nodes.store.beats()
    assert (beat.ended, beat.execs) == (True, ended.end["execs"])
