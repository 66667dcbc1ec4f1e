"""A trace line of QEMU: which event a thread has reached, and where in the source.

With ``-msg timestamp=on`` a line begins with ``4711@1795912345.678901:`` (7.2 to 10.x) or with
``2026-11-29T01:58:54.390920Z `` (11.x). Events of locks end with file and line of the caller.
Messages to standard error begin with a time, too; what follows it is no name of an event.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

LOCKS: Final = ("qemu_mutex_lock",)
"""Events of locks: there are many, so they are points only where a deviation asks for them."""
WAIT: Final = "futex_wait"
"""Event of a thread that is about to wait for a lock or a condition (`calls`)."""
POLLS: Final = ("run_poll_handlers_begin", "run_poll_handlers_end")
"""Events of busy polling: how often a thread polls depends on the clock."""

_LINE: Final = re.compile(rb"(?:\d+@[\d.]+:|[\d-]+T[\d:.]+Z )(\w+) ")
_SITE: Final = re.compile(rb"\((?:\.\./)*([^()\s]+:\d+)\)$")


class Line(NamedTuple):
    """What one line says."""

    event: str
    site: str = ""
    """File and line, as ``util/async.c:717``; empty: the event has none."""

    @property
    def locks(self) -> bool:
        """Whether it is about a lock."""
        return self.event in LOCKS or self.event == WAIT

    @property
    def polls(self) -> bool:
        """Whether it is about busy polling."""
        return self.event in POLLS

    @property
    def file(self) -> str:
        """File of the site: line numbers differ between versions."""
        return self.site.partition(":")[0]


def line_in(text: bytes) -> Line | None:
    """Return the line in the bytes of a write(2); None: it is no trace line."""
    found = _LINE.match(text)
    if found is None:
        return None
    rest = text[found.end() :].partition(b"\n")[0].rstrip()
    site = _SITE.search(rest) if rest.endswith(b")") else None
    return _line(found[1], site[1] if site else b"")


@lru_cache(maxsize=1 << 12)
def _line(event: bytes, site: bytes) -> Line:
    """Return what both say: there are few of them, and each comes often."""
    return Line(event.decode(), site.decode(errors="replace"))
