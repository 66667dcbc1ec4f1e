"""A violation as an exception, for fuzzing services that tell bugs apart by stack traces.

ClusterFuzz takes the functions of the three innermost frames as the name of a bug, and calls two
bugs similar if two of these functions are the same. Therefore all three are named by the signature.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.oracle.violation import Violation

_FRAMES: Final = 3
"""Frames that ClusterFuzz looks at (its MAX_CRASH_STATE_FRAMES)."""
_SKIPPED: Final = ("assert", "logger")
"""ClusterFuzz skips functions with one of these in their name (its STACK_FRAME_IGNORE_REGEXES)."""


class ViolationFound(Exception):
    """A rule was violated. The class that is raised is a subclass with the name of the rule."""


@cache
def exception_of(rule: str) -> type[ViolationFound]:
    """Return the class of exceptions of a rule."""
    return type(rule, (ViolationFound,), {"__doc__": f"Rule {rule} was violated."})


def raise_violation(violation: Violation) -> NoReturn:
    """Raise a violation, from functions that have its signature as their name.

    Raises:
        ViolationFound: always; its text is the sentence of the violation.
    """
    error = exception_of(violation.rule)(violation.sentence)

    def call(frames: int) -> NoReturn:
        if frames > 1:
            named(frames - 1)
        raise error

    named = _named(call, function_name(violation.signature))
    named(_FRAMES)


def function_name(signature: str) -> str:
    """Return the name by which ClusterFuzz knows a bug: its signature, without what is skipped.

    >>> function_name("s1-reset-stop"), function_name("crash-assertionerror-device-poll")
    ('s1-reset-stop', 'crash-as-sertionerror-device-poll')
    """
    for word in _SKIPPED:
        signature = signature.replace(word, f"{word[:2]}-{word[2:]}")
    return signature


def _named(function: Callable[[int], NoReturn], name: str) -> Callable[[int], NoReturn]:
    """Give a function a name that stack traces show."""
    function.__code__ = function.__code__.replace(co_name=name, co_qualname=name)
    return function
