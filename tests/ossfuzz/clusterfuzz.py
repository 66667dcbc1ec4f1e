"""What ClusterFuzz reads in the output of a fuzz target, as far as Python targets go.

Facts of its `crash_analysis.stack_parsing`: where a Python stack begins, what a frame is, that the
innermost ones name the bug, and which names it skips.
"""

from __future__ import annotations

import re
from typing import Final

_BEGIN: Final = "=== Uncaught Python exception: ==="
_FRAME: Final = re.compile(r'^\s*File "[^"]+", line \d+, in (.+)$')
_FRAMES: Final = 3
_SKIPPED: Final = re.compile(
    r"^(abort|exit|free|main|malloc|new|delete|print_trailer)|assert|logger"
)
_UNIT: Final = re.compile(r"Test unit written to (\S+)")


def crash_state(output: str) -> tuple[str, ...]:
    """Return the functions that name a bug, innermost first; empty if there is no crash."""
    if '.py", line' not in output:
        return ()
    lines = output.splitlines()
    begins = [at for at, line in enumerate(lines) if line.strip() == _BEGIN]
    if not begins:
        return ()
    found = [match[1] for line in lines[begins[0] :] if (match := _FRAME.match(line))]
    kept = [re.split(r"[ (\[]", name)[0] for name in found if not _SKIPPED.search(name)]
    return tuple(kept[: -_FRAMES - 1 : -1])


def written_unit(output: str) -> str:
    """Return the path of the file with the input of a crash; empty if there is none."""
    found = _UNIT.search(output)
    return found[1] if found else ""
