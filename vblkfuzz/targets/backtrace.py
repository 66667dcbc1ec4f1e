"""Backtraces of a hanging process, if gdb is installed. For people only: no verdict uses one."""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

_PATIENCE_S: Final = 20.0
_HEADING: Final = "\n\ngdb says:\n"


def backtrace(pid: int) -> str:
    """Return the stacks of all threads of `pid`; empty without gdb, or if gdb fails."""
    gdb = shutil.which("gdb")
    if gdb is None:
        return ""
    command = [gdb, "--batch", "--nx", "-p", str(pid), "-ex", "thread apply all backtrace"]
    try:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return _HEADING + run.stdout.decode(errors="replace")


def without_backtrace(report: str) -> str:
    """Return a report without what gdb says, which depends on gdb and is long."""
    return report.partition(_HEADING)[0].strip()
