"""The fingerprint of features: of what code, device and options their numbers speak.

It changes with each change of the code of vblkfuzz or of the device, since either may change where
a probe lies, what an input does and how it is judged. Of a device that is a program, the content of
its file is a part: a build of the same version may be another one.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz._build import build
from vblkfuzz._version import __version__
from vblkfuzz.feedback.line_coverage import own_files
from vblkfuzz.process.own_code import OwnCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk

_PACKAGE: Final = Path(__file__).resolve().parent.parent


def fingerprint_of(device: type[VirtioBlk], options: Sequence[object], campaign: str) -> str:
    """Return 40 hexadecimal digits.

    Args:
        device: the class of the device, imported.
        options: values with a JSON form, which change the features of an input.
        campaign: a name that no other campaign has. A user's device has another fingerprint in
            each: which modules it is made of, some imported when it runs, is not known.

    Raises:
        OSError: a file of the device's code cannot be read any more.
    """
    own = OwnCode(device)
    files = [Path(file) for file in own_files(device, own)] if own else []
    found = _of_package([*options, campaign] if own else options)
    for file in files:
        _add(found, file)
    return found.hexdigest()


def fingerprint_of_program(files: Sequence[str], options: Sequence[object]) -> str:
    """Return the same for a device that is a program, or several.

    Args:
        files: their paths.
        options: as in `fingerprint_of`, and what is known of the programs.

    Raises:
        OSError: a file cannot be read.
    """
    found = _of_package(options)
    for file in files:
        _add(found, Path(file))
    return found.hexdigest()


def _of_package(options: Sequence[object]) -> hashlib._Hash:
    found = hashlib.sha1(usedforsecurity=False)
    python = (platform.python_implementation(), platform.python_version())
    found.update(json.dumps([__version__, build(), *python, *options]).encode())
    for file in sorted(_PACKAGE.rglob("*.py"), key=str):
        _add(found, file)
    return found


def _add(found: hashlib._Hash, file: Path) -> None:
    source = file.read_bytes()
    found.update(f"{file.name} {len(source)}\n".encode() + source)
