"""The shell of a newcomer: nothing is set but PATH, HOME, and where packages come from."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Final

PACKAGES_COME_FROM: Final = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")


class Shell:
    """One shell for all commands, so what a command sets is there for the next one."""

    def __init__(self, folder: Path, programs: Path) -> None:
        """Start it.

        Args:
            folder: where it is.
            programs: a new folder, for the Python that this test runs on.
        """
        programs.mkdir()
        (programs / "python3").symlink_to(os.path.realpath(sys.executable))
        self._output = programs / "output"
        env = {
            name: value
            for name, value in os.environ.items()
            if name.upper().startswith(PACKAGES_COME_FROM)
        }
        env |= {"PATH": f"{programs}:{path_without_vblkfuzz()}", "HOME": os.environ["HOME"]}
        self._process = Popen(["sh"], cwd=folder, env=env, stdin=PIPE, stdout=PIPE, text=True)

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; return its exit status, and what it has printed."""
        assert self._process.stdin and self._process.stdout
        # In braces it runs in this shell. It must not read the commands that follow.
        line = f"{{ {command}\n}} </dev/null >'{self._output}' 2>&1; echo $?\n"
        self._process.stdin.write(line)
        self._process.stdin.flush()
        status = self._process.stdout.readline()
        return int(status), self._output.read_text(errors="replace")

    def end(self) -> None:
        """End it."""
        self._process.communicate()


def path_without_vblkfuzz() -> str:
    """PATH without the environment of this test, in which vblkfuzz is installed."""
    folders = os.environ["PATH"].split(":")
    return ":".join(one for one in folders if not (Path(one) / "vblkfuzz").exists())
