"""Where a finding lies: ``findings/SIGNATURE``, and if another device has that, ``SIGNATURE@2``.

A folder may have findings of several targets and devices (`fuzz --other-device`, `explore`). Two of
them that break a rule in the same way have the same signature, and neither may hide the other.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.store.finding_files import ARTIFACT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vblkfuzz.targets.target import Target

_MARK: Final = "@"
"""No signature has this character (`oracle.violation.Violation.signature`)."""


def places(findings: Path, signature: str) -> Iterator[Path]:
    """Yield the folders in which findings of a signature may lie, in order; there is no last."""
    yield findings / signature
    for number in count(2):
        yield findings / f"{signature}{_MARK}{number}"


def signature_of(finding: Path) -> str:
    """Return the signature that the folder of a finding is named by.

    >>> from pathlib import Path
    >>> signature_of(Path("out/findings/s1-reset")), signature_of(Path("out/findings/s1-reset@2"))
    ('s1-reset', 's1-reset')
    """
    return signature_in(finding.name)


def signature_in(name: str) -> str:
    """Return the signature in the name of a finding's folder."""
    return name.partition(_MARK)[0]


def is_of_another(finding: Path, target: Target) -> bool:
    """Whether a folder has a finding of another target or device; a damaged one has none."""
    try:
        artifact = read_input(finding / ARTIFACT)
    except InputFileError:
        return False
    setups = (artifact.target, artifact.device), (target.name, target.device)
    one, other = ((name, current_name(device)) for name, device in setups)
    return one != other
