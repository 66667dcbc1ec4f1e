"""Whether a folder is on a network file system, where SQLite's shared memory does not work."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_NETWORK: Final = ("nfs", "nfs4", "cifs", "smb3", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs")
_BY_FUSE: Final = "fuse."
"""Such as fuse.sshfs; none of them promises shared memory between machines."""
_MOUNTS: Final = Path("/proc/self/mountinfo")


def is_network_folder(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether a folder is on a file system of other machines; False if that is not known."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
        place = folder.resolve()
    except OSError:
        return False
    around = [one for one in map(_mount, lines) if place.is_relative_to(one[0])]
    # The longest is the innermost; of two at one place, the later one hides the other.
    *_, (_, kind) = [(Path("/"), ""), *sorted(around, key=lambda one: len(one[0].parts))]
    return kind in _NETWORK or kind.startswith(_BY_FUSE)


def _mount(line: str) -> tuple[Path, str]:
    """Return where a line of mountinfo(5) says that something is mounted, and of what type."""
    before, _, after = line.partition(" - ")
    place = before.split(" ")[4].encode(errors="surrogateescape")
    return Path(place.decode("unicode_escape")), after.split(" ")[0]
