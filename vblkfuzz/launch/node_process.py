"""The process of a node, for the moment before it becomes `vblkfuzz fuzz`.

``python -m vblkfuzz.launch.node_process SUPERVISOR_PID ARGUMENT...``
"""

from __future__ import annotations

import os
import signal
import sys

from vblkfuzz.process.parent_death import die_with_parent


def main() -> None:
    """Ask for SIGTERM at the supervisor's end, which exec does not change, and run vblkfuzz."""
    supervisor, *arguments = sys.argv[1:]
    die_with_parent(int(supervisor), signal.SIGTERM)
    os.execv(sys.executable, [sys.executable, "-m", "vblkfuzz", *arguments])


if __name__ == "__main__":
    main()
