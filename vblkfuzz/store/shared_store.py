"""The store that the campaigns of several nodes share: a folder, on NFS too, or a URL of fsspec.

    campaign.toml                   format, target, device: written once, by the first node
    shards/NODE/000017.pack         inputs and their features (`store.pack`): closed, never changed
    findings/SIGNATURE/SHA1.vblk    an artifact, named by the SHA-1 of its content
    beats/NODE/RUN.json             one campaign of a node: what it did so far, what it has seen

A node is an output folder: ``log/node`` there says its name, so a campaign that goes on is the same
node. A run is one campaign of it. Each file has one writer, and nothing is locked:

* A pack is written whole, under the next number. Its head has size and checksum of the rest, so
  half of one is no pack; its node uploads those inputs again.
* A finding is written if the store has no whole one of its signature yet. When two nodes write at
  the same moment, both stay, and readers take the one whose name is first. Who sees a signature
  that is there adds a sighting: a count in its own beat.
* A beat is overwritten by the run that it is of. Its times are by the clock of its node. No
  decision compares clocks: that of another node may be wrong.

What is listed and cannot be read for a reason of its own (no permission, no file) is left out, and
`SharedStore.unreadable` says why: one such file does not keep nodes from all others.

No file is ever deleted. Names that begin with ``.tmp-`` are of files that are being written.
"""

from __future__ import annotations

import errno
import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import tomlkit

from vblkfuzz._version import __version__
from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.scenario.artifact import load_artifact
from vblkfuzz.scenario.codec import encode
from vblkfuzz.store.input_name import input_name
from vblkfuzz.store.pack import Pack, read_pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vblkfuzz.store.shared_files import SharedFiles

CAMPAIGN: Final = "campaign.toml"
FORMAT: Final = 1
_BEGIN: Final = b"format ="
"""Of `CAMPAIGN`, as all versions write it."""
_OWN_REASONS: Final = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
"""Errors of reading that are those of one file, and not of the store."""
_Read = TypeVar("_Read")


class StoredFinding(NamedTuple):
    """A whole finding of a store."""

    signature: str
    path: str
    """Within the store."""
    artifact: bytes

    @property
    def input(self) -> str:
        """Name of its input, which may be in a pack; empty: a newer version wrote it."""
        try:
            return input_name(encode(load_artifact(self.artifact, self.path).scenario))
        except InputFileError:
            return ""


@dataclass(frozen=True, slots=True)
class Beat:
    """What one campaign of a node has done so far, as it says itself."""

    node: str
    run: str
    version: str = __version__
    started: str = ""
    """By the clock of the node, as `written`: ISO 8601, UTC."""
    written: str = ""
    ended: bool = False
    seconds: float = 0
    workers: int = 0
    execs: int = 0
    features: int = 0
    """Of the worker that has most, as libFuzzer counts them."""
    corpus: int = 0
    """Inputs in the output folder of the node."""
    seen: dict[str, int] = field(default_factory=dict)
    """Executions that showed a violation, by signature."""
    problem: str = ""
    """Why the exchange before this one failed; empty: it did not."""

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    @staticmethod
    def from_bytes(data: bytes) -> Beat:
        """Return the beat in a file; fields of newer versions are left out.

        Raises:
            ValueError: it is none, or only a part of one.
        """
        try:
            values = json.loads(data)
        except RecursionError:
            raise ValueError("expected a beat, found a deep nest") from None
        if not isinstance(values, dict) or not {"node", "run"} <= values.keys():
            raise ValueError("expected a beat")
        for name, kind in _KINDS.items():
            if name in values and not isinstance(values[name], kind):
                raise ValueError(f"field {name}: not of its type")
        own = [one for one in values.values() if isinstance(one, (int, float))]
        counts = values.get("seen", {}).values()
        if not all(isinstance(one, int) for one in counts):
            raise ValueError("field seen: expected counts")
        if not all(0 <= one < _MOST for one in (*own, *counts)):  # NaN is in no range
            raise ValueError("a number that nothing can count")
        names = {one.name for one in fields(Beat)}
        return Beat(**{name: value for name, value in values.items() if name in names})


_MOST: Final = 1 << 63
_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "node": str,
    "run": str,
    "version": str,
    "started": str,
    "written": str,
    "ended": bool,
    "seconds": (int, float),
    "workers": int,
    "execs": int,
    "features": int,
    "corpus": int,
    "seen": dict,
    "problem": str,
}


class SharedStore:
    """The parts of a store.

    Args:
        files: its files.
    """

    def __init__(self, files: SharedFiles) -> None:
        self.files: Final = files
        self.unreadable: Final[dict[str, str]] = {}
        """Why files and folders that are there are left out, by path."""

    # --- What it is of ------------------------------------------------------------------------

    def join(self, target: str, device: str) -> None:
        """Check that the store is for a target and a device; say so in it, if it is new.

        Raises:
            UsageError: it is of another target, device or format, or is no store.
            OSError: it cannot be read or written now.
        """
        about = {"format": FORMAT, "target": target, "device": device, "version": __version__}
        if self.about() is None:
            data = tomlkit.dumps(about).encode()
            if not self.files.create(CAMPAIGN, data) and self.about() is None:
                self._check_half()
                self.files.replace(CAMPAIGN, data)  # half of it was left
        found = self.about() or {}
        for name in ("format", "target", "device"):
            if found.get(name) != about[name]:
                problem = f"it is of {name} {found.get(name)!r}, this campaign of {about[name]!r}"
                raise UsageError(f"{self.files.url}: {problem}; choose another --store")

    def check_there(self) -> None:
        """Check that a store which was joined is still there: a server may be unmounted.

        Raises:
            OSError: it is not; nothing may be written to what is there now.
        """
        if self.about() is None:
            raise FileNotFoundError(
                errno.ENOENT, f"the store is gone, no {CAMPAIGN} in it any more"
            )

    def _check_half(self) -> None:
        """Check that what is there is half of what nodes write, and no file of somebody else.

        Raises:
            UsageError: it is another file.
        """
        found = self.files.read(CAMPAIGN).strip(b"\0")
        if found[: len(_BEGIN)] != _BEGIN[: len(found)]:
            problem = f"the {CAMPAIGN} in it is not that of a store"
            raise UsageError(f"{self.files.url}: {problem}; choose another --store")

    def about(self) -> dict[str, Any] | None:
        """Return what `CAMPAIGN` says; None: there is none yet, or only half of it.

        Raises:
            OSError: it cannot be read now.
        """
        try:
            found = tomllib.loads(self.files.read(CAMPAIGN).decode())
        except (FileNotFoundError, ValueError):
            return None
        return found if {"format", "target", "device"} <= found.keys() else None

    # --- Inputs -------------------------------------------------------------------------------

    def packs(self) -> list[str]:
        """Return the paths of the packs, those of a node in their order.

        Raises:
            OSError: the store cannot be read now.
        """
        nodes = self.files.listed("shards")
        folders = [f"shards/{node}" for node in nodes]
        names = [f"{folder}/{one}" for folder in folders for one in self._within(folder)]
        return [name for name in names if name.endswith(".pack")]

    def _in(self, folder: str) -> list[str]:
        return [one for one in self.files.listed(folder) if not one.startswith(".")]

    def _within(self, folder: str) -> list[str]:
        """Return what is in a folder that was listed."""
        return self._unless_unreadable(folder, self._in) or []

    def _unless_unreadable(self, path: str, read: Callable[[str], _Read]) -> _Read | None:
        """Read what was listed; None: it cannot be read, and the reason is its own.

        Raises:
            OSError: the store cannot be read now.
        """
        try:
            found = read(path)
        except OSError as error:
            if not isinstance(error, _OWN_REASONS) and error.errno != errno.ELOOP:
                raise
            self.unreadable[path] = error.strerror or str(error)
            return None
        self.unreadable.pop(path, None)
        return found

    def pack(self, path: str) -> Pack | None:
        """Return a pack that was listed; None: it is not whole, or `unreadable`.

        Raises:
            OSError: the store cannot be read now.
        """
        data = self._unless_unreadable(path, self.files.read)
        return None if data is None else read_pack(data)

    def add_pack(self, node: str, pack: Pack) -> str:
        """Write a pack under the next number of a node; return its path.

        Raises:
            OSError: it could not be written.
        """
        folder = f"shards/{node}"
        numbers = [one.removesuffix(".pack") for one in self._in(folder)]
        number = 1 + max((int(one) for one in numbers if one.isdecimal()), default=0)
        while not self.files.create(path := f"{folder}/{number:06}.pack", pack.to_bytes()):
            number += 1
        return path

    # --- Findings -----------------------------------------------------------------------------

    def signatures(self) -> list[str]:
        """Return the signatures of which there are files, sorted.

        Raises:
            OSError: the store cannot be read now.
        """
        return self._in("findings")

    def finding(self, signature: str) -> StoredFinding | None:
        """Return the finding of a signature; None: the store has no whole one.

        Raises:
            OSError: the store cannot be read now.
        """
        for name in self._within(f"findings/{signature}"):
            path = f"findings/{signature}/{name}"
            data = self._unless_unreadable(path, self.files.read)
            if data and name == _finding_name(data) and _is_artifact(data):
                return StoredFinding(signature, path, data)
        return None

    def findings(self) -> Iterator[StoredFinding]:
        """Yield the findings, one of each signature.

        Raises:
            OSError: the store cannot be read now.
        """
        for signature in self.signatures():
            if found := self.finding(signature):
                yield found

    def add_finding(self, signature: str, artifact: bytes) -> bool:
        """Write a finding; return False if there is one of its signature.

        Raises:
            OSError: the store cannot be read or written now.
        """
        if self.finding(signature):
            return False
        self.files.replace(f"findings/{signature}/{_finding_name(artifact)}", artifact)
        return True

    # --- Beats --------------------------------------------------------------------------------

    def beat(self, beat: Beat) -> None:
        """Write what a run has done so far.

        Raises:
            OSError: it could not be written.
        """
        self.files.replace(f"beats/{beat.node}/{beat.run}.json", beat.to_bytes())

    def beats(self) -> Iterator[Beat]:
        """Yield the beats that are whole, in the order of nodes and runs.

        Raises:
            OSError: the store cannot be read now.
        """
        for node in self._in("beats"):
            for path in [f"beats/{node}/{one}" for one in self._within(f"beats/{node}")]:
                data = self._unless_unreadable(path, self.files.read)
                try:
                    yield Beat.from_bytes(data or b"")
                except ValueError:
                    continue  # it is being written, or half was


def _finding_name(artifact: bytes) -> str:
    return f"{hashlib.sha1(artifact, usedforsecurity=False).hexdigest()}.vblk"


def _is_artifact(data: bytes) -> bool:
    """Whether it is whole; one of a newer version is, too."""
    try:
        load_artifact(data, "finding")
    except InputFileError as error:
        return not error.place.startswith("byte ")
    return True
