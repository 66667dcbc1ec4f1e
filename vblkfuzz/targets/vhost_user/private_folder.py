"""A private folder (mode 0700) that goes away, whatever becomes of us.

A back-end that is started by a command makes its socket itself, so the socket needs a name for a
moment. The folder is made and removed by a shell of its own session, which waits for the end of a
pipe: the kernel closes that even when this process is killed.
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
    """Yield the path of an empty folder; it is gone with what is in it after the block.

    Raises:
        DeviceUnavailable: there is no place for one.
    """
    with subprocess.Popen(
        ["/bin/sh", "-c", _SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # who kills our process group does not mean this one
    ) as keeper:
        assert keeper.stdout is not None
        assert keeper.stderr is not None
        folder = keeper.stdout.readline().rstrip("\n")
        if not folder:
            said = keeper.stderr.read().strip()
            raise DeviceUnavailable(f"no folder for the socket of a back-end: {said}")
        yield folder
