"""A private folder (mode 0700) that is removed even if this process is killed.

A back-end that is started by a command creates its socket itself, so the socket needs a name for a
moment; a trial of a bench has files. A shell in a session of its own makes the folder, waits until
a pipe is closed and removes the folder. If this process is killed, the kernel closes the pipe.
"""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCRIPT: Final = (
    "trap '' PIPE HUP INT TERM; "
    'folder=$(mktemp -d "${TMPDIR:-/tmp}/vblkfuzz-XXXXXXXX") || exit; echo "$folder" 2>&-; '
    'read -r _; rm -rf -- "$folder"'
)


@contextmanager
def private_folder() -> Iterator[str]:
    """Yield the path of an empty folder, which is removed with its contents after the block.

    Raises:
        DeviceUnavailable: the folder cannot be created.
    """
    with subprocess.Popen(
        ["/bin/sh", "-c", _SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # survives a signal to this process group, to clean up
    ) as keeper:
        assert keeper.stdout is not None
        assert keeper.stderr is not None
        folder = keeper.stdout.readline().rstrip("\n")
        if not folder:
            reason = keeper.stderr.read().strip()
            raise DeviceUnavailable(f"no private folder: {reason}")
        yield folder
