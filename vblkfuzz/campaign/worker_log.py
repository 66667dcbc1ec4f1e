"""What the log of a worker says: libFuzzer writes its complaints there, and nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_OURS: Final = "--- "
"""How the lines begin that the orchestrator adds."""
_STOPPING: Final = "KeyboardInterrupt: stopping."
"""What Atheris says when a worker ends itself, whatever the reason."""
_STARTS: Final = re.compile(rf"^{_OURS}\S+ worker \d+ starts.*$", re.MULTILINE)
_UNKNOWN: Final = re.compile(r"^WARNING: (unrecognized flag '[^'\n]*')", re.MULTILINE)
_TAIL_BYTES: Final = 1 << 16


def last_words(log: Path) -> str:
    """Return the last line of a worker since it was started last; empty: it said nothing."""
    said = _since_start(log).splitlines()
    lines = [line.strip() for line in said if not line.startswith((_OURS, _STOPPING))]
    return next((line for line in reversed(lines) if line), "")


def unknown_flags(log: Path) -> list[str]:
    """Return what libFuzzer says of flags that it does not know, and goes on without."""
    return _UNKNOWN.findall(_since_start(log))


def _since_start(log: Path) -> str:
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return _STARTS.split(text)[-1]
