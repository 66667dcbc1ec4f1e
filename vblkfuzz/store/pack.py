r"""A pack: inputs with their features, as one closed file of a store.

    {"format": 2, "node": ..., "run": ..., "version": ..., "fingerprint": ..., "size": ...,
     "sha1": ...}\n
    entries, as in the record of features (`store.feature_record`)

The head is one line of JSON; size (bytes) and SHA-1 are those of the rest. Node, run and version
say where the inputs come from. The fingerprint says of what code the numbers of the features speak;
an empty one: features are not known. The format is that of the entries: those of format 1 have no
lineage.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final, NamedTuple

from vblkfuzz._version import __version__
from vblkfuzz.store.feature_record import FORMAT, Entry, entries_in

_FORMATS: Final = range(1, FORMAT + 1)
"""Those that are read."""


class Pack(NamedTuple):
    """The content of a pack."""

    node: str
    run: str
    fingerprint: str
    entries: tuple[Entry, ...]
    version: str = __version__

    def to_bytes(self) -> bytes:
        """Return the file."""
        body = b"".join(one.to_bytes() for one in self.entries)
        head = {"format": FORMAT, "node": self.node, "run": self.run, "version": self.version}
        more = {"fingerprint": self.fingerprint, "size": len(body), "sha1": _sha1(body)}
        return json.dumps(head | more).encode() + b"\n" + body


def read_pack(data: bytes) -> Pack | None:
    """Return a pack; None: it is damaged, half of one, or of another format."""
    line, _, body = data.partition(b"\n")
    try:
        head = json.loads(line)
        written = head["format"]
        right = (head["size"], head["sha1"]) == (len(body), _sha1(body)) and written in _FORMATS
        names = [head[name] for name in ("node", "run", "fingerprint", "version")]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not right or not all(isinstance(one, str) for one in names):
        return None
    node, run, fingerprint, version = names
    entries = tuple(one for one, _ in entries_in(body, int(written)))
    return Pack(node, run, fingerprint, entries, version)


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
