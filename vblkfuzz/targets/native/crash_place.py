"""The place of a crash: the innermost function on the stack that has a name (docs/decisions/0014).

A function without a symbol is known by its address only, and each build moves that. Its innermost
caller with a name tells the bug in all builds. Callers that only call whatever work there is say
nothing of a bug.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.native.waiting import WAITS

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADDRESS: Final = re.compile(r"\+0x[0-9a-f]+$")


def place_of_crash(frames: Sequence[str]) -> str:
    """Return the function that names a crash; its address if no function on the stack does.

    Args:
        frames: the functions on the stack of the signal, the innermost first; each one its symbol,
            else ``FILE+0xADDRESS``.

    >>> place_of_crash(["qsd+0x25861c", "qsd+0x258ab0", "vu_config_change_msg", "main"])
    'vu_config_change_msg'
    >>> place_of_crash(["qsd+0x25861c", "aio_bh_poll", "aio_poll"])
    'qsd+0x25861c'
    """
    first, *callers = frames or [""]
    if not _ADDRESS.search(first):
        return first
    named = (name for name in callers if not _ADDRESS.search(name) and name not in WAITS)
    return next(named, first)
