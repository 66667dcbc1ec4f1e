"""What a test does to a store: it writes a word into a file, which the store looks at in each call.

The store is `tests.faults.faulty_store`, which needs fsspec; this does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.checkout import CHECKOUT

PROTOCOL: Final = "faulty"
FAULT: Final = "VBLKFUZZ_STORE_FAULT"
"""Variable with the path of the file."""
_FAULTY: Final = "tests.faults.faulty_store"
REGISTERED: Final = f"""
import sys
sys.path.append({str(CHECKOUT)!r})
from fsspec.registry import known_implementations
known_implementations[{PROTOCOL!r}] = {{"class": "{_FAULTY}.FaultyStore"}}
"""
"""What a process runs first that is to know the store."""


def noted(fault: Path) -> Path:
    """Return the file in which the store notes the thread of each call."""
    return fault.with_suffix(".calls")


def calls(fault: Path) -> list[str]:
    """Return the thread of each call so far."""
    return noted(fault).read_text().split() if noted(fault).exists() else []
