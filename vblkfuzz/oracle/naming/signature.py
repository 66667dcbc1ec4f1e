"""The signature: rule + causal path + state of the device. One bug, one name.

Of a causal path only those frames count that tell causes apart. Who asked for a reset, a start or a
drained section says little: the mistake is in what they all call. Whether a reset or a stop of the
VM led to it is kept, and whether a handler was polled or kicked only where that is the mistake. The
state comes from `oracle.naming.circumstance`. Why so: docs/decisions/0007.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Final

from vblkfuzz.oracle.naming.naming import Naming
from vblkfuzz.trace.event import Frame

MAX_SIGNATURE: Final = 80
"""Characters of a signature. It is a folder name, in paths that people paste."""

_DIGEST_CHARS: Final = 8

_CALLERS: Final = frozenset(
    frame.name.lower()
    for frame in (
        Frame.SYSTEM_RESET,
        Frame.VM_CONT,
        Frame.DIRECT_KICK,
        Frame.MIRROR,
        Frame.RESIZE,
        Frame.SNAPSHOT,
        Frame.SET_AIO_CONTEXT,
        Frame.BLK_DRAIN,
    )
)
"""Frames that only say who asked; the innermost frame counts whatever it is."""

_HANDLERS: Final = frozenset({"attach", "complete", "direct_kick", "host_notifier_read", "poll"})
_ATTACHES: Final = frozenset({"drained_end", "start"})
"""Who attaches queues, by the same function; if they handle a queue, then in there."""


def signature(rule: str, naming: Naming, path: str, state: str) -> str:
    """Return the name of the bug class of a violation.

    Args:
        rule: as in `Rule.id`.
        naming: what the rule says about its names.
        path: causal path of the clashing event, as `trace.event.path_names` gives it.
        state: variant of the clash.
    """
    frames = path.split(" > ")
    if state and state == naming.attaching_alike and frames[-1] in _ATTACHES:
        frames = ["attach"]
    parts = (rule, *_telling(naming, frames), state)
    slugs = (re.sub(r"[^a-z0-9_]+", "-", part.lower()).strip("-") for part in parts)
    return _shortened("-".join(slug for slug in slugs if slug))


def _telling(naming: Naming, frames: Sequence[str]) -> Sequence[str]:
    """Return the frames of a path that tell causes apart, outermost first."""
    if naming.path == "none":
        return ()
    if naming.path == "innermost":
        return frames[-1:]
    if naming.handlers_alike and _HANDLERS.issuperset(frames):
        return ()
    kept = [*(frame for frame in frames[:-1] if frame not in _CALLERS), *frames[-1:]]
    if not naming.polling_tells:
        kept = ["host_notifier_read" if frame == "poll" else frame for frame in kept]
    return [*kept[:1], *(frame for before, frame in pairwise(kept) if frame != before)]


def _shortened(text: str) -> str:
    """Cut a signature to size; a digest keeps two that begin alike apart."""
    if len(text) <= MAX_SIGNATURE:
        return text
    digest = blake2b(text.encode(), digest_size=_DIGEST_CHARS // 2).hexdigest()
    return f"{text[: MAX_SIGNATURE - _DIGEST_CHARS - 1]}-{digest}"
