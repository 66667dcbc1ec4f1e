"""The findings of a store, copied to the cache of pytest."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import pytest

from vblkfuzz.errors import VblkfuzzError
from vblkfuzz.store.saved_findings import FINDINGS
from vblkfuzz.store.store_summary import open_store, write_copy

if TYPE_CHECKING:
    from pathlib import Path


def copy_of(place: str, cache: pytest.Cache | None) -> Path:
    """Return the folder with a copy of the findings that a store has now.

    Raises:
        pytest.UsageError: there is no such store, it cannot be read, or pytest has no cache.
    """
    if cache is None:
        raise pytest.UsageError("--vblk-store needs pytest's cache: leave out -p no:cacheprovider")
    name = hashlib.sha1(place.encode(), usedforsecurity=False).hexdigest()[:12]
    out = cache.mkdir(f"vblkfuzz-store-{name}")
    try:
        store = open_store(place)
        if store.about() is None:
            raise pytest.UsageError(f"--vblk-store {place}: expected a store, found none")
        shutil.rmtree(out / FINDINGS, ignore_errors=True)
        write_copy(store, out)
    except (OSError, VblkfuzzError) as error:
        raise pytest.UsageError(f"--vblk-store {place}: {error}") from error
    return out / FINDINGS
