"""The signature: rule + causal path + state of the device. One bug, one name.

A signature has only those frames of the causal path that distinguish causes. The caller of a reset,
a start or a drained section is left out: the mistake is in the function that all callers share. A
reset or a VM stop in the path is kept. Polling and kicks are distinguished only for rules where
this matters. The state comes from `oracle.naming.circumstance`. Reasons: docs/decisions/0007.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Final

from vblkfuzz.oracle.naming.naming import Naming
from vblkfuzz.trace.event import Frame

MAX_SIGNATURE: Final = 80
"""Limit in characters. A signature is a folder name, in paths that people paste."""

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
        Frame.BLOCK_JOB,
        Frame.REOPEN,
        Frame.THROTTLE,
        Frame.SET_AIO_CONTEXT,
        Frame.BLK_DRAIN,
    )
)
"""Frames of callers, which are left out unless they are the innermost one."""

_HANDLERS: Final = frozenset({"attach", "complete", "direct_kick", "host_notifier_read", "poll"})
_ATTACHES: Final = frozenset({"drained_end", "start"})
"""Frames that attach queues; a queue handled directly within them is handled by the attach."""


@lru_cache(maxsize=4096)
def signature(rule: str, naming: Naming, path: str, state: str) -> str:
    """Return the name of the bug class of a violation.

    Cached: most executions of a campaign violate, in the same few ways.

    Args:
        rule: as in `Rule.id`.
        naming: how the rule names its violations.
        path: causal path of the clashing event, in the form of `trace.event.path_names`.
        state: variant of the clash.
    """
    frames = path.split(" > ")
    if state and state == naming.attaching_alike and frames[-1] in _ATTACHES:
        frames = ["attach"]
    parts = (rule, *_telling(naming, frames), state)
    slugs = (re.sub(r"[^a-z0-9_]+", "-", part.lower()).strip("-") for part in parts)
    return _shortened("-".join(slug for slug in slugs if slug))


def _telling(naming: Naming, frames: Sequence[str]) -> Sequence[str]:
    """Return the frames of a path that distinguish causes, outermost first."""
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
    """Shorten a signature to the limit; a digest makes the result unique."""
    if len(text) <= MAX_SIGNATURE:
        return text
    digest = blake2b(text.encode(), digest_size=_DIGEST_CHARS // 2).hexdigest()
    return f"{text[: MAX_SIGNATURE - _DIGEST_CHARS - 1]}-{digest}"
