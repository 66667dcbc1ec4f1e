"""The release of a QEMU, and what is there from one on."""

from __future__ import annotations

import re
from typing import Final

_IN_ORDER_SINCE: Final = (10, 0)
"""The first release that was tried in which devices have the property `in_order`."""


def release_of(version: str) -> tuple[int, int]:
    """Return major and minor number of a version; zeroes if it has none."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def has_in_order(version: str) -> bool:
    """Return whether devices of a QEMU of this version can offer F_IN_ORDER."""
    return release_of(version) >= _IN_ORDER_SINCE
