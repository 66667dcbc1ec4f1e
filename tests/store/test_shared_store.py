"""A store says what it is of once, keeps whole files only, and has one finding of a signature."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.errors import UsageError
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.feature_record import Entry
from vblkfuzz.store.pack import Pack, read_pack
from vblkfuzz.store.shared_files import FolderFiles, FsspecFiles, SharedFiles
from vblkfuzz.store.shared_store import Beat, SharedStore
from vblkfuzz.store.store_summary import summary_of

ONE = dump_artifact(Artifact(Scenario(ops=(op("init"),))))
OTHER = dump_artifact(Artifact(Scenario(ops=(op("init"), op("reset")))))
PACK = Pack("a", "r", "f" * 40, (Entry.of(b"one", [1, 2]), Entry.of(b"two", [2, 3])))


@pytest.fixture(params=["folder", "fsspec"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SharedStore:
    files: SharedFiles = FolderFiles(tmp_path / "S")
    if request.param == "fsspec":
        pytest.importorskip("fsspec", reason="the extra store is not installed")
        files = FsspecFiles(f"file://{tmp_path}/S")
    return SharedStore(files)


def test_the_first_node_says_what_it_is_of(store: SharedStore) -> None:
    assert store.about() is None
    store.join("model", "patch-v4")
    store.join("model", "patch-v4")
    with pytest.raises(UsageError, match="of device 'patch-v4', this campaign of 'reference'"):
        store.join("model", "reference")


def test_packs_are_numbered_and_never_overwritten(store: SharedStore) -> None:
    paths = [store.add_pack("a", PACK), store.add_pack("a", PACK), store.add_pack("b", PACK)]
    assert paths == ["shards/a/000001.pack", "shards/a/000002.pack", "shards/b/000001.pack"]
    assert store.packs() == paths
    assert store.pack(paths[0]) == PACK
    assert not store.files.create(paths[0], b"")


def test_of_a_signature_the_first_finding_stays(store: SharedStore) -> None:
    assert store.add_finding("s1-reset", ONE)
    assert not store.add_finding("s1-reset", OTHER)
    assert [one.artifact for one in store.findings()] == [ONE]


def test_half_a_finding_hides_no_other_one(store: SharedStore) -> None:
    store.add_finding("s1-reset", ONE)
    (found,) = store.findings()
    store.files.replace(found.path, ONE[:9])
    assert store.finding("s1-reset") is None
    assert store.add_finding("s1-reset", OTHER)
    assert store.add_finding("s1-reset", ONE) is False


def test_of_findings_written_at_once_all_readers_take_the_same(store: SharedStore) -> None:
    """As two nodes leave them that looked before either had written."""
    store.add_finding("s1", ONE)
    store.add_finding("s2", OTHER)
    one, other = store.findings()
    store.files.replace(other.path.replace("s2", "s1"), OTHER)
    assert len(store.files.listed("findings/s1")) == 2
    found = store.finding("s1")
    assert found and found.path == min(one.path, other.path.replace("s2", "s1"))


def test_half_of_what_it_is_of_is_written_again(store: SharedStore) -> None:
    for half in (b"", b"format = 1\n", b'format = 1\ntarget = "mo'):
        store.files.replace("campaign.toml", half)
        store.join("model", "patch-v4")
        assert store.about()


def test_a_file_of_somebody_else_stays(store: SharedStore) -> None:
    store.files.replace("campaign.toml", b'title = "mine"\n')
    with pytest.raises(UsageError, match="not that of a store"):
        store.join("model", "patch-v4")
    assert store.files.read("campaign.toml") == b'title = "mine"\n'


def test_what_cannot_be_read_hides_nothing_else(store: SharedStore, tmp_path: Path) -> None:
    """As files of a user that nobody else may read, strays, and links that lead nowhere."""
    store.join("model", "patch-v4")
    store.add_finding("s1", ONE)
    store.add_pack("a", PACK)
    store.beat(Beat("a", "r", execs=2))
    top = tmp_path / "S"
    (top / "shards" / "a" / "000000.pack").mkdir()
    (top / "shards" / "b").mkdir()
    (top / "shards" / "b" / "000001.pack").symlink_to("nowhere")
    (top / "findings" / "s1" / "0.vblk").mkdir()
    (top / "beats" / "a" / "0.json").mkdir()
    for name in ("shards", "findings", "beats"):
        (top / name / "README").write_text("of mine\n")
    summary = summary_of(store)
    assert (summary.inputs, summary.execs, len(summary.findings)) == (2, 2, 1)
    assert {"shards/a/000000.pack", "shards/b/000001.pack"} <= {*summary.damaged}
    assert not store.add_finding("s1", OTHER)
    assert store.add_finding("README2", OTHER)
    assert store.add_pack("a", PACK) == "shards/a/000002.pack"


def test_nobody_waits_for_a_pipe_in_a_store(tmp_path: Path) -> None:
    store = SharedStore(FolderFiles(tmp_path))
    (tmp_path / "shards" / "a").mkdir(parents=True)
    os.mkfifo(tmp_path / "shards" / "a" / "000001.pack")
    assert summary_of(store).damaged == ("shards/a/000001.pack",)


@given(st.integers(0, len(PACK.to_bytes()) - 1))
def test_half_a_pack_is_no_pack(end: int) -> None:
    assert read_pack(PACK.to_bytes()[:end]) is None


@given(st.binary())
def test_any_bytes_may_be_in_a_pack(data: bytes) -> None:
    assert read_pack(data) is None


def test_clocks_an_hour_apart_decide_nothing(store: SharedStore) -> None:
    """Runs are added up, whatever time their nodes believe it is."""
    store.join("model", "patch-v4")
    store.beat(Beat("a", "1", written="2026-01-01T13:00:00+00:00", execs=2, seen={"s1": 1}))
    store.beat(Beat("b", "2", written="2026-01-01T12:00:00+00:00", execs=3, seen={"s1": 2}))
    store.beat(Beat("b", "3", written="2026-01-01T11:00:00+00:00", execs=5, ended=True))
    store.files.replace("beats/b/4.json", b'{"node": "b", "ru')
    store.add_pack("a", PACK)
    summary = summary_of(store)
    assert (summary.execs, summary.nodes, summary.seen["s1"]) == (10, ["a", "b"], 3)
    assert (summary.features, summary.inputs) == (3, 2)


def test_a_beat_of_a_newer_version_is_read() -> None:
    assert Beat.from_bytes(b'{"node": "a", "run": "r", "later": 1}') == Beat("a", "r")
    with pytest.raises(ValueError, match="execs"):
        Beat.from_bytes(b'{"node": "a", "run": "r", "execs": "many"}')


@pytest.mark.parametrize(
    "more",
    [
        '"seconds": NaN',
        '"seconds": Infinity',
        '"seconds": 1e999',
        f'"execs": 1{"0" * 400}',
        '"workers": -1',
        '"seen": {"s1": "x"}',
        f'"later": {"[" * 100_000}',
    ],
)
def test_a_beat_that_nothing_can_count_is_none(more: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Beat.from_bytes(f'{{"node": "a", "run": "r", {more}}}'.encode())
