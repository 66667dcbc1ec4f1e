"""Flags of libFuzzer on the command line of `vblkfuzz fuzz`: ``-runs=9`` for ``--runs 9``.

Where no option has the meaning of a flag, the error names what to use instead.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FLAG: Final = re.compile(r"-([a-z][a-z0-9_]+)=(.*)", re.DOTALL)
_ALIKE: Final = 0.85
"""How alike a misspelt flag and the one that is meant are, from 0 to 1 (`difflib`)."""
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")

_TWINS: Final = {
    "runs": "--runs",
    "max_total_time": "--max-total-time",
    "seed": "--seed",
    "workers": "--workers",
    "jobs": "--workers",
    "fork": "--workers",
    "rss_limit_mb": "--rss-limit-mb",
}
"""Options with the same meaning. A flag of 0 or -1 may have another one, see `_translated`."""

_INSTEAD: Final = {
    "dict": "vblkfuzz has no dictionaries; use --corpus FOLDER",
    "artifact_prefix": "vblkfuzz has no artifacts; use --out, findings are in OUT/findings",
    "exact_artifact_path": "vblkfuzz has no artifacts; use --out, findings are in OUT/findings",
    "merge": "fuzz has no merge; use vblkfuzz merge MY-CORPUS NEW",
    "set_cover_merge": "fuzz has no merge; use vblkfuzz merge MY-CORPUS NEW",
    "minimize_crash": "fuzz minimizes no input; use vblkfuzz minimize INPUT -o SMALL",
    "cleanse_crash": "fuzz cleanses no input; use vblkfuzz minimize INPUT -o SMALL",
    "timeout": "vblkfuzz has a limit of its own for each input; leave it out",
    "malloc_limit_mb": "vblkfuzz has no limit of its own for it; use --rss-limit-mb",
}
"""What to do without a twin. All other flags are for libFuzzer itself."""


def from_libfuzzer(arguments: Sequence[str]) -> list[str]:
    """Return a command line with options for flags of libFuzzer; what follows ``--`` stays.

    >>> from_libfuzzer(["-runs=9", "-jobs=2", "--device", "patch-v4", "--", "-max_len=9"])
    ['--runs', '9', '--workers', '2', '--device', 'patch-v4', '--', '-max_len=9']

    Raises:
        UsageError: a flag has no twin; the error names what to use instead. Or its value is no
            number.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*_translated_all(arguments[:end]), *arguments[end:]]


def _translated_all(arguments: Sequence[str]) -> Iterator[str]:
    # As in libFuzzer: the jobs wait for the workers, which are as many as run at a time.
    limited = any(argument.startswith("-workers=") for argument in arguments)
    for argument in arguments:
        flag = _FLAG.fullmatch(argument)
        if flag is None:
            yield argument
        elif not (limited and flag[1] == "jobs"):
            yield from _translated(argument, flag[1], flag[2])


def _translated(argument: str, name: str, value: str) -> Sequence[str]:
    """Return the option for a flag."""
    if name == "help":
        return ["--help"] if value != "0" else []
    if name == "ignore_crashes":
        return ["--stop-on-first"] if value == "0" else []
    if name == "runs" and value == "0":
        instead = "fuzz runs new inputs too; for a corpus alone, use vblkfuzz replay CORPUS"
        raise UsageError(f"{argument}: {instead}")
    if name == "runs" and value == "-1":
        value = "0"  # no limit
    if name in ("jobs", "fork") and value == "0":
        value = "1"  # no other processes
    if name in _TWINS:
        if not _NUMBER.fullmatch(value):
            raise UsageError(f"{argument}: expected a number from 0 on, found {value!r}")
        return [_TWINS[name], value]
    raise UsageError(f"{argument}: {_INSTEAD.get(name) or _not_ours(name, value)}")


def _not_ours(name: str, value: str) -> str:
    """Say what to do with a flag that has neither a twin nor something else instead of it."""
    meant = get_close_matches(name, (*_TWINS, "ignore_crashes"), 1, _ALIKE)
    if meant:
        return f"did you mean -{meant[0]}={value}?"
    return f"a flag for libFuzzer itself goes after --: fuzz -- -{name}={value}"
