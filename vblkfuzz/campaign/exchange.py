"""The exchange of a node with the store: inputs and findings up, inputs of others down.

All of it can be done again: what is in the store is known by content, and is not written twice. So
an error of the store ends one exchange, and the next one does what is left. Nothing waits in memory
alone: inputs are in the record of features or in ``corpus/``, findings in ``findings/``.

An input goes up or comes down if it has a feature that the other side lacks by its record. What
comes down is put on record first, so workers mark its features and do not run it. Inputs of other
versions of the code, and of devices without a record, are run.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from vblkfuzz.store.atomic import NewFiles, write_file
from vblkfuzz.store.feature_record import Entry, RecordReader, Segment
from vblkfuzz.store.finding_files import ARTIFACT
from vblkfuzz.store.finding_place import signature_of
from vblkfuzz.store.input_name import input_name
from vblkfuzz.store.pack import Pack
from vblkfuzz.store.saved_findings import finding_folders

if TYPE_CHECKING:
    from pathlib import Path

    from vblkfuzz.store.shared_store import SharedStore

_NODE: Final = "node"
_NAME: Final = re.compile(r"[\w-]+")
_UNKNOWN: Final = ""
"""Fingerprint of inputs of which no features are known."""


def node_of(out: Path) -> str:
    """Return the name of an output folder as a node; the first time, or if it is none, it is made.

    Raises:
        OSError: it cannot be read or written.
    """
    place = out / "log" / _NODE
    if place.exists():
        name = place.read_text(encoding="utf-8", errors="replace").strip()
        if _NAME.fullmatch(name):  # it is part of paths
            return name
    host = "".join(one if one.isalnum() else "-" for one in socket.gethostname())
    name = f"{host}-{secrets.token_hex(4)}"
    write_file(place, f"{name}\n".encode())
    return name


class Exchange:
    """Exchanges what is new, each time it is asked to.

    Args:
        store: the store, which the campaign has joined.
        out: the output folder, which is the node.
        node: its name.
        run: of this campaign.
    """

    def __init__(self, store: SharedStore, out: Path, node: str, run: str) -> None:
        self._store = store
        self._out = out
        self._corpus = out / "corpus"
        self._source = (node, run)
        self._record = RecordReader(out)
        self._fingerprint = _UNKNOWN
        """Of the numbers that the workers here write."""
        self._segment: Segment | None = None
        self._here: defaultdict[str, set[int]] = defaultdict(set)
        """Features that this node has, by fingerprint."""
        self._there: defaultdict[str, set[int]] = defaultdict(set)
        """Features that the store has."""
        self._stored: set[str] = set()
        """Names of inputs that are in the store."""
        self._recorded: set[str] = set()
        """Names of inputs that are in the record here."""
        self._to_send: dict[str, list[Entry]] = defaultdict(list)
        self._unrecorded: set[str] = set()
        """Names of inputs that had no record at the exchange before."""
        self._read: set[str] = set()
        """Packs that were read."""
        self.waits = False
        """Packs wait until workers have begun: soon."""
        self.published: dict[Path, bool] = {}
        """Folders of findings that are in the store; whether this node wrote them."""

    def turn(self) -> None:
        """Do all that is left to do, findings first.

        Raises:
            OSError: the store or the output folder cannot be read or written now.
        """
        self._store.unreadable.clear()
        self.publish()
        self._read_record()
        self._down()
        self._up()

    def publish(self) -> None:
        """Write the findings of this node to the store, if it has none of their signature.

        Raises:
            OSError: as `turn`.
        """
        for folder in finding_folders(self._out):
            if folder not in self.published and (folder / ARTIFACT).exists():
                artifact = (folder / ARTIFACT).read_bytes()
                first = self._store.add_finding(signature_of(folder), artifact)
                self.published[folder] = first

    def _read_record(self) -> None:
        files = set(os.listdir(self._corpus))
        for fingerprint, entry in self._record.added():
            self._fingerprint = fingerprint
            # Without its file it is one whose writing has failed, or others have its features.
            if entry.name in files:
                self._here[fingerprint].update(entry.features)
            self._recorded.add(entry.name)
            self._to_send[fingerprint].append(entry)

    # --- Down ---------------------------------------------------------------------------------

    def _down(self) -> None:
        """Take the inputs of all packs that were not read yet."""
        self.waits = False
        for path in self._store.packs():
            if path in self._read:
                continue
            pack = self._store.pack(path)
            if pack is None:
                continue  # perhaps it is whole, or can be read, the next time
            if not self._fingerprint and pack.fingerprint:
                self.waits = True  # for the fingerprint here, which workers write first
                continue
            self._take(pack)
            self._read.add(path)
            self._stored.update(one.name for one in pack.entries)
            self._there[pack.fingerprint].update(*(one.features for one in pack.entries))

    def _take(self, pack: Pack) -> None:
        """Take what has a feature that is new here; on record first."""
        new: list[Entry] = []
        here = set(self._here[pack.fingerprint])
        for entry in pack.entries:
            features = entry.features
            if not here.issuperset(features) or not (features or self._has(entry)):
                here.update(features)
                new.append(entry)
        if pack.fingerprint and pack.fingerprint == self._fingerprint:
            for entry in new:
                self._to_record(entry)
        with NewFiles(self._corpus) as files:
            for entry in new:
                files.add(entry.name, entry.data)
        self._here[pack.fingerprint] = here  # now that nothing can fail

    def _has(self, entry: Entry) -> bool:
        return (self._corpus / entry.name).exists()

    def _to_record(self, entry: Entry) -> None:
        if entry.name in self._recorded:
            return
        if self._segment is None:
            self._segment = Segment(self._out, self._fingerprint)
        self._segment.append(entry)
        self._recorded.add(entry.name)

    # --- Up -----------------------------------------------------------------------------------

    def _up(self) -> None:
        """Write a pack for each fingerprint that has something new for the store."""
        for fingerprint, entries in self._to_send.items():
            self._send(fingerprint, entries)
        names = set(os.listdir(self._corpus)) - self._recorded - self._stored
        names = {name for name in names if not name.startswith(".")}
        # What a worker has just found is on record after its next execution.
        old, self._unrecorded = names & self._unrecorded, names
        found = [self._unrecorded_input(name) for name in sorted(old)]
        self._send(_UNKNOWN, [one for one in found if one])

    def _unrecorded_input(self, name: str) -> Entry | None:
        try:
            data = (self._corpus / name).read_bytes()
        except FileNotFoundError:  # the corpus was reduced in the meantime
            return None
        return Entry.of(data, ()) if input_name(data) not in self._stored else None

    def _send(self, fingerprint: str, entries: list[Entry]) -> None:
        there = self._there[fingerprint]
        seen, new = set(there), []
        for entry in entries:
            if entry.name in self._stored:
                continue
            if not fingerprint or not seen.issuperset(entry.features):
                seen.update(entry.features)
                new.append(entry)
        if new:
            path = self._store.add_pack(self._source[0], Pack(*self._source, fingerprint, (*new,)))
            self._read.add(path)
            self._stored.update(one.name for one in new)
            there.update(seen)
        entries.clear()

    def close(self) -> None:
        """Close the file of the record."""
        if self._segment:
            self._segment.close()
            self._segment = None
