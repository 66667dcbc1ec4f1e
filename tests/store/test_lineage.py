"""The lineage of an input is in its entry; entries of before it had one are read as well."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.feature_record import (
    FOLDER,
    Entry,
    RecordReader,
    Segment,
    entries_in,
    merge_segments,
)
from vblkfuzz.store.input_name import input_name
from vblkfuzz.store.lineage import UNKNOWN, Lineage
from vblkfuzz.store.pack import Pack, read_pack
from vblkfuzz.store.shared_files import FolderFiles
from vblkfuzz.store.shared_store import SharedStore
from vblkfuzz.store.store_summary import summary_of

CODE = "a" * 40
WORDS = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
NAMES = st.binary(max_size=9).map(input_name)
LINEAGES = st.one_of(
    st.just(UNKNOWN),
    st.builds(
        Lineage,
        st.lists(WORDS, min_size=1, max_size=16).map(tuple),
        st.lists(NAMES, max_size=4).map(tuple),
    ),
)


def of_format_1(data: bytes, *features: int) -> bytes:
    """An entry as it was written before there were lineages."""
    body = pack("<HH", len(data), 0) + data + Entry.of(data, features).coded
    return pack("<II", len(body), zlib.crc32(body)) + body


@given(LINEAGES)
def test_it_is_a_line_of_text(lineage: Lineage) -> None:
    assert Lineage.from_text(lineage.to_text()) == lineage


@given(LINEAGES, st.binary(max_size=60))
def test_it_is_in_the_entry_and_in_the_pack(lineage: Lineage, data: bytes) -> None:
    entry = Entry.of(data, [3, 5], ["s1-reset"], lineage)
    assert [one for one, _ in entries_in(entry.to_bytes())] == [entry]
    whole = Pack("node", "run", CODE, (entry,))
    assert read_pack(whole.to_bytes()) == whole


def test_a_pack_of_format_1_is_read() -> None:
    body = of_format_1(b"one", 1) + of_format_1(b"two", 2)
    digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    head = {"format": 1, "node": "n", "run": "r", "version": "1", "fingerprint": CODE}
    line = json.dumps({**head, "size": len(body), "sha1": digest}).encode()
    found = read_pack(line + b"\n" + body)
    assert found is not None
    assert [(one.data, one.features) for one in found.entries] == [(b"one", [1]), (b"two", [2])]
    assert {one.lineage for one in found.entries} == {UNKNOWN}
    assert read_pack(line.replace(b'"format": 1', b'"format": 3') + b"\n" + body) is None


def test_a_record_of_format_1_goes_on_in_format_2(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    old = tmp_path / FOLDER / "000001.features"
    old.write_bytes(f"vblkfuzz features 1 {CODE}\n".encode() + of_format_1(b"one", 1))
    reader = RecordReader(tmp_path)
    assert [(code, one.data) for code, one in reader.added()] == [(CODE, b"one")]
    with old.open("ab") as file:
        file.write(of_format_1(b"late", 2))
    segment = Segment(tmp_path, CODE)
    made = Lineage(("insert",), (input_name(b"one"),))
    segment.append(Entry.of(b"two", [3], (), made))
    segment.close()
    assert [one.data for _, one in reader.added()] == [b"late", b"two"]
    merge_segments(tmp_path)
    merged = {one.data: one.lineage for _, one in RecordReader(tmp_path).added()}
    assert merged == {b"one": UNKNOWN, b"late": UNKNOWN, b"two": made}


def test_a_store_tells_the_descent_of_a_finding(tmp_path: Path) -> None:
    store = SharedStore(FolderFiles(tmp_path))
    scenario = Scenario(ops=(op("init"), op("reset")))
    bug = Entry.of(encode(scenario), [2], (), Lineage(("insert", "surw"), (input_name(b"1"),)))
    others = (Entry.of(b"1", [1], (), Lineage(("new",))), Entry.of(b"2", [3]))
    store.add_pack("a", Pack("a", "r", CODE, (bug, others[0])))
    store.add_pack("b", Pack("b", "r", CODE, (others[1], Entry.of(b"1", [1]))))
    store.add_finding("s1-reset", dump_artifact(Artifact(scenario)))
    summary = summary_of(store)
    assert list(summary.made_by.items()) == [
        (name, 1) for name in ("insert", "new", "surw", "unknown")
    ]
    (found,) = summary.to_json("S")["findings"].values()
    assert found["lineage"] == [
        [bug.name, ("insert", "surw"), (input_name(b"1"),)],
        [input_name(b"1"), ("new",), ()],
    ]


def test_a_circle_of_descent_ends(tmp_path: Path) -> None:
    """Two nodes may find each other's input, each from the other one."""
    store = SharedStore(FolderFiles(tmp_path))
    one = Entry.of(b"1", [1], (), Lineage(("swap",), (input_name(b"2"),)))
    two = Entry.of(b"2", [2], (), Lineage(("swap",), (input_name(b"1"),)))
    store.add_pack("a", Pack("a", "r", CODE, (one, two)))
    ancestry = summary_of(store).ancestry(one.name)
    assert [name for name, _ in ancestry] == [one.name, two.name]
