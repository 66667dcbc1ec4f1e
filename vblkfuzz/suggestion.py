"""The end of a message: what was probably meant, or which command says more.

Verbs and options of the command line have suggestions of typer's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SEE_DOCTOR: Final = "; vblkfuzz doctor says what is missing"
"""What to append to a message about something that the machine lacks."""
_ALIKE: Final = 0.75
"""How alike two names must be, from 0 to 1 (`difflib`): *sector* does not mean *actor*."""
_LONGEST: Final = 64
"""Characters of a name that is compared: names from files may be long, and comparing is slow."""
_SHORTEST_BEGINNING: Final = 4
"""Characters of a name that is compared with beginnings: shorter ones resemble too many."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return what to append to a message: the known name that is most like `name`, else nothing.

    A name that is like none of them may be like the beginning of one.

    >>> did_you_mean("qemu-81", ["qemu-8.0", "qemu-8.1", "patch-v4"])
    '; did you mean qemu-8.1?'
    >>> did_you_mean("s1-rest", ["s1-reset-stop-cleanup_host_notifier", "s2-submit"])
    '; did you mean s1-reset-stop-cleanup_host_notifier?'
    >>> did_you_mean("poem", ["html", "sarif"])
    ''
    """
    if len(name) > _LONGEST:
        return ""
    from difflib import get_close_matches

    names = [*known]
    meant = get_close_matches(name, names, 1, _ALIKE)
    if not meant and len(name) >= _SHORTEST_BEGINNING:
        whole = {one[: len(name)]: one for one in reversed(names)}
        meant = [whole[one] for one in get_close_matches(name, whole, 1, _ALIKE)]
    return f"; did you mean {meant[0]}?" if meant else ""
