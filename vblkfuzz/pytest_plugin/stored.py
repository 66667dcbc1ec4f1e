"""The findings of a store, copied to the cache of pytest.

Each copy is written whole, and none is removed: other runs of pytest may be reading them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from vblkfuzz.errors import VblkfuzzError
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.finding_files import ARTIFACT
from vblkfuzz.store.saved_findings import FINDINGS
from vblkfuzz.store.store_summary import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from vblkfuzz.store.shared_store import SharedStore


def copies_of(place: str, cache: pytest.Cache | None) -> list[Path]:
    """Return copies of the findings that a store has now, sorted.

    Raises:
        pytest.UsageError: there is no such store, it cannot be read, or pytest has no cache.
    """
    if cache is None:
        raise pytest.UsageError("--vblk-store needs pytest's cache: leave out -p no:cacheprovider")
    name = hashlib.sha1(place.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()[
        :12
    ]
    out = cache.mkdir(f"vblkfuzz-store-{name}")
    try:
        store = open_store(place)
        if store.about() is None:
            raise pytest.UsageError(f"--vblk-store {place}: expected a store, found none")
        return sorted(_copied(store, out / FINDINGS))
    except (OSError, VblkfuzzError) as error:
        raise pytest.UsageError(f"--vblk-store {place}: {error}") from error


def _copied(store: SharedStore, folder: Path) -> list[Path]:
    paths = []
    for one in store.findings():
        path = folder / one.signature / ARTIFACT
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != one.artifact:
            write_file(path, one.artifact, sync=False)
        paths.append(path)
    return paths
