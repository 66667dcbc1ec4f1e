"""What the nodes of a store have done together."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.store.shared_files import is_url, shared_files
from vblkfuzz.store.shared_store import CAMPAIGN, SharedStore

if TYPE_CHECKING:
    from vblkfuzz.store.lineage import Lineage
    from vblkfuzz.store.shared_store import Beat, StoredFinding


def is_store(place: str) -> bool:
    """Whether a user has named a store, not an output folder."""
    return is_url(place) or (Path(place) / CAMPAIGN).is_file()


def open_store(place: str) -> SharedStore:
    """Return a store, to read.

    Raises:
        UsageError: fsspec is missing.
    """
    return SharedStore(shared_files(place))


@dataclass(frozen=True, slots=True)
class StoreSummary:
    """All that a store has, added up."""

    about: dict[str, Any]
    """What ``campaign.toml`` says."""
    runs: tuple[Beat, ...]
    findings: tuple[StoredFinding, ...]
    inputs: int
    features: int
    """All features of all inputs, of the version of the code that has most."""
    damaged: tuple[str, ...]
    """Packs that are not whole, and files and folders that cannot be read."""
    lineages: dict[str, Lineage] = field(default_factory=dict)
    """Of the inputs, by name."""

    @property
    def made_by(self) -> dict[str, int]:
        """How many inputs each edit and scheduler had a part in, most first; "unknown": all others.

        Of as many inputs each: by name.
        """
        total: Counter[str] = Counter()
        for one in self.lineages.values():
            total.update(set(one.made_by) or {"unknown"})
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    def ancestry(self, name: str) -> list[tuple[str, Lineage]]:
        """Return an input and those that it descends of by the first parent, as far as known."""
        found: dict[str, Lineage] = {}
        while name in self.lineages and name not in found:
            found[name] = self.lineages[name]
            name = next(iter(found[name].parents), "")
        return [*found.items()]

    @property
    def execs(self) -> int:
        """Executions of all nodes."""
        return sum(one.execs for one in self.runs)

    @property
    def nodes(self) -> list[str]:
        """Names of the nodes, sorted."""
        return sorted({one.node for one in self.runs})

    @property
    def seen(self) -> Counter[str]:
        """Executions of all nodes that showed a violation, by signature."""
        total: Counter[str] = Counter()
        for one in self.runs:
            total.update(one.seen)
        return total

    def of_node(self, node: str) -> dict[str, Any]:
        """Return what a node has done; its times are by its own clock."""
        runs = [one for one in self.runs if one.node == node]
        last = max(runs, key=lambda one: (one.written, one.run))
        return {
            "node": node,
            "runs": len(runs),
            "execs": sum(one.execs for one in runs),
            "seconds": round(sum(one.seconds for one in runs), 1),
            "workers": last.workers,
            "features": max(one.features for one in runs),
            "written": last.written,
            "ended": last.ended,
            "version": last.version,
            "problem": last.problem,
        }

    def to_json(self, place: str) -> dict[str, Any]:
        """Return the object of ``status --json``."""
        seen = self.seen
        return {
            "store": place,
            "target": str(self.about.get("target", "")),
            "device": str(self.about.get("device", "")),
            "execs": self.execs,
            "features": self.features,
            "inputs": self.inputs,
            "made_by": self.made_by,
            "findings": {
                one.signature: {
                    "path": one.path,
                    "count": seen[one.signature],
                    "lineage": [[name, *of] for name, of in self.ancestry(one.input)],
                }
                for one in self.findings
            },
            "nodes": [self.of_node(node) for node in self.nodes],
            "damaged": list(self.damaged),
        }


class StoreReader:
    """Reads a store again and again; of packs and findings, which never change, the new ones only.

    Args:
        store: the store.
    """

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self._features: defaultdict[str, set[int]] = defaultdict(set)
        self._lineages: dict[str, Lineage] = {}
        """By name of the input."""
        self._findings: dict[str, StoredFinding] = {}
        self.packs: Final[dict[str, int]] = {}
        """Inputs of each whole pack, by its path."""

    def summary(self) -> StoreSummary:
        """Read what is new, and the beats.

        Raises:
            OSError: the store cannot be read.
        """
        self._store.unreadable.clear()
        damaged = {path for path in self._store.packs() if not self._read(path)}
        for name in self._store.signatures():
            if name not in self._findings and (found := self._store.finding(name)):
                self._findings[name] = found
        beats = tuple(self._store.beats())
        return StoreSummary(
            self._store.about() or {},
            beats,
            tuple(self._findings[name] for name in sorted(self._findings)),
            len(self._lineages),
            max(map(len, self._features.values()), default=0),
            tuple(sorted(damaged | self._store.unreadable.keys())),
            dict(self._lineages),
        )

    def _read(self, path: str) -> bool:
        """Read a pack, unless it was; return whether it is whole."""
        if path in self.packs:
            return True
        if (pack := self._store.pack(path)) is None:
            return False
        for one in pack.entries:
            if any(one.lineage) or one.name not in self._lineages:
                self._lineages[one.name] = one.lineage
        self._features[pack.fingerprint].update(*(one.features for one in pack.entries))
        self.packs[path] = len(pack.entries)
        return True


def summary_of(store: SharedStore) -> StoreSummary:
    """Read all of a store.

    Raises:
        OSError: it cannot be read.
    """
    return StoreReader(store).summary()


def write_copy(store: SharedStore, out: Path) -> list[str]:
    """Write the findings of a store into the form of an output folder; return their signatures.

    Raises:
        OSError: the store cannot be read, or the folder not written.
    """
    from vblkfuzz.store.atomic import write_folder
    from vblkfuzz.store.finding_files import ARTIFACT
    from vblkfuzz.store.saved_findings import FINDINGS

    (out / FINDINGS).mkdir(parents=True, exist_ok=True)
    found = []
    for one in store.findings():
        write_folder(out / FINDINGS / one.signature, {ARTIFACT: one.artifact})
        found.append(one.signature)
    return found


def write_inputs(store: SharedStore, folder: Path) -> int:
    """Write the inputs of a store as files of a corpus; return how many there are.

    Raises:
        OSError: the store cannot be read, or the folder not written.
    """
    from vblkfuzz.store.atomic import NewFiles

    names: set[str] = set()
    with NewFiles(folder) as files:
        for path in store.packs():
            if pack := store.pack(path):
                for entry in pack.entries:
                    files.add(entry.name, entry.data)
                    names.add(entry.name)
    return len(names)
