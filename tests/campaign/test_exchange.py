"""Nodes share what is new to each other, and lose nothing, whatever the store does."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.store.flaky_files import FlakyFiles
from vblkfuzz.campaign.exchange import Exchange, node_of
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.feature_record import Entry, RecordReader, Segment
from vblkfuzz.store.input_name import input_name
from vblkfuzz.store.shared_store import SharedStore

CODE, OTHER_CODE = "a" * 40, "b" * 40
ARTIFACT = dump_artifact(Artifact(Scenario(ops=(op("init"),))))


class Node:
    """An output folder with an exchange."""

    def __init__(self, out: Path, store: SharedStore, code: str = CODE) -> None:
        self.out = out
        self._store = store
        self._segment = Segment(out, code)
        for name in ("corpus", "findings", "log"):
            (out / name).mkdir(parents=True, exist_ok=True)
        self.begin()

    def begin(self) -> None:
        """Begin, or begin again after a kill."""
        self.exchange = Exchange(self._store, self.out, node_of(self.out), "run")

    def keeps(self, data: bytes, *features: int) -> None:
        (self.out / "corpus" / input_name(data)).write_bytes(data)
        self._segment.append(Entry.of(data, features))

    def finds(self, signature: str) -> None:
        (self.out / "findings" / signature).mkdir()
        (self.out / "findings" / signature / "finding.vblk").write_bytes(ARTIFACT)

    @property
    def inputs(self) -> set[bytes]:
        return {one.read_bytes() for one in (self.out / "corpus").iterdir()}

    @property
    def features(self) -> set[int]:
        return {one for _, entry in RecordReader(self.out).added() for one in entry.features}


@pytest.fixture
def files(tmp_path: Path) -> FlakyFiles:
    return FlakyFiles(tmp_path / "S")


@pytest.fixture
def store(files: FlakyFiles) -> SharedStore:
    return SharedStore(files)


def exchanged(*nodes: Node) -> None:
    for node in (*nodes, *nodes):
        node.exchange.turn()


def test_each_gets_what_is_new_to_it(tmp_path: Path, store: SharedStore) -> None:
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    one.keeps(b"one", 1, 2)
    one.keeps(b"more", 2, 5)
    two.keeps(b"two", 3, 4)
    exchanged(one, two)
    assert one.inputs == two.inputs == {b"one", b"more", b"two"}
    assert one.features == two.features == {1, 2, 3, 4, 5}


def test_what_has_no_new_feature_stays_where_it_is(tmp_path: Path, store: SharedStore) -> None:
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    one.keeps(b"one", 1, 2)
    two.keeps(b"two", 2)
    exchanged(one, two)
    assert (one.inputs, two.inputs) == ({b"one"}, {b"one", b"two"})
    assert len(store.packs()) == 1
    exchanged(one, two)
    assert len(store.packs()) == 1


def test_a_node_that_comes_back_goes_on(tmp_path: Path, store: SharedStore) -> None:
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    one.keeps(b"one", 1)
    exchanged(one)
    one.keeps(b"not yet sent", 2)  # and killed
    name = node_of(one.out)
    one.begin()
    exchanged(one)
    two.keeps(b"two", 3)
    exchanged(two)
    assert node_of(one.out) == name
    assert two.inputs == {b"one", b"not yet sent", b"two"}
    assert len(store.packs()) == 3


def test_a_new_node_has_all_features_after_one_exchange(tmp_path: Path, store: SharedStore) -> None:
    old, new = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    for number in range(300):
        old.keeps(b"%d" % number, number, 1000)
    exchanged(old)
    new.keeps(b"its first", 1000)
    new.exchange.turn()
    assert new.features == old.features


def test_inputs_of_another_version_are_run(tmp_path: Path, store: SharedStore) -> None:
    """Their numbers speak of other code: they are not put on record."""
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store, OTHER_CODE)
    one.keeps(b"one", 1)
    two.keeps(b"two", 1)
    exchanged(one, two)
    assert one.inputs == two.inputs == {b"one", b"two"}
    assert {code for code, _ in RecordReader(two.out).added()} == {OTHER_CODE}


def test_inputs_without_a_record_are_shared(tmp_path: Path, store: SharedStore) -> None:
    """A real device has none."""
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    (one.out / "corpus" / input_name(b"raw")).write_bytes(b"raw")
    exchanged(one, two)
    assert two.inputs == {b"raw"}
    exchanged(one, two)
    assert len(store.packs()) == 1


def test_a_finding_is_in_the_store_once(tmp_path: Path, store: SharedStore) -> None:
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    for node in (one, two):
        node.finds("s1-reset")
        node.exchange.publish()
    assert [*one.exchange.published.values()] == [True]
    assert [*two.exchange.published.values()] == [False]
    assert [one.signature for one in store.findings()] == ["s1-reset"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.ESTALE, errno.EIO])
@pytest.mark.parametrize("what", ["reads", "writes", "halves"])
def test_after_a_fault_all_arrives(
    tmp_path: Path, store: SharedStore, files: FlakyFiles, what: str, number: int
) -> None:
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    one.keeps(b"one", 1)
    one.finds("s1-reset")
    two.keeps(b"two", 2)
    setattr(files, what, number)
    for node in (one, two):
        with pytest.raises(OSError):
            node.exchange.turn()
    setattr(files, what, 0)
    exchanged(one, two)
    assert one.inputs == two.inputs == {b"one", b"two"}
    assert [one.signature for one in store.findings()] == ["s1-reset"]


def test_a_stale_listing_only_delays(tmp_path: Path, store: SharedStore, files: FlakyFiles) -> None:
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    one.keeps(b"one", 1)
    two.keeps(b"two", 2)
    files.hidden = frozenset({"000001.pack"})
    exchanged(one, two)
    assert two.inputs == {b"two"}
    files.hidden = frozenset()
    exchanged(one, two)
    assert one.inputs == two.inputs == {b"one", b"two"}


def test_a_full_disk_here_loses_nothing(
    tmp_path: Path, store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be written here is taken at the next exchange."""
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    one.keeps(b"one", 1)
    two.keeps(b"two", 2)
    exchanged(one)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("vblkfuzz.store.atomic.NewFiles.add", full)
        with pytest.raises(OSError):
            two.exchange.turn()
    two.exchange.turn()
    assert two.inputs == {b"one", b"two"}


def test_one_unreadable_pack_keeps_nothing_else_back(tmp_path: Path, store: SharedStore) -> None:
    """Such as one of a user that no other may read."""
    one, two = Node(tmp_path / "1", store), Node(tmp_path / "2", store)
    (tmp_path / "S" / "shards" / "a" / "000001.pack").mkdir(parents=True)
    one.keeps(b"one", 1)
    two.keeps(b"two", 2)
    exchanged(one, two)
    assert one.inputs == two.inputs == {b"one", b"two"}
    assert store.unreadable == {"shards/a/000001.pack": "Is a directory"}


@pytest.mark.parametrize("name", [b"../../elsewhere", b"\xff", b"", b"a/b", b"."])
def test_a_name_that_is_no_node_is_made_anew(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "node").write_bytes(name)
    assert "/" not in (made := node_of(tmp_path))
    assert len(made) > 8
    assert node_of(tmp_path) == made
