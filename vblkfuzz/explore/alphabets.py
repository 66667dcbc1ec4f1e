"""Alphabets: sets of operations that stories are made of, a row each.

A word is the name of an operation, or name and choice: `publish_kick:out`, `drain_begin:nopoll`.
What is not said takes its first value, so a word stands for one operation.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from vblkfuzz.errors import UsageError
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.param import Choice
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.suggestion import did_you_mean

ALPHABETS: Final = MappingProxyType(
    {
        "drain": "init publish_kick kick collect reset drain_begin drain_end hold release",
        "run-state": "init publish_kick collect reset stop cont drain_begin drain_end hold release",
        "polling": "init publish_kick collect poll_on poll_off drain_begin drain_end queue_reset",
    }
)
"""By name: its words."""


def alphabet(text: str) -> tuple[Op, ...]:
    """Return the operations of an alphabet: its name, or its words with commas between them.

    Raises:
        UsageError: there is no such alphabet, or no such word.
    """
    words = ALPHABETS.get(text, text.replace(",", " ")).split()
    if not words:
        raise UsageError("--alphabet: expected at least one operation")
    return tuple(dict.fromkeys(map(_word, words)))


def _word(word: str) -> Op:
    name, _, choice = word.partition(":")
    if name not in CODES:
        hint = did_you_mean(name, (*ALPHABETS, *CODES))
        raise UsageError(f"--alphabet {word}: expected an alphabet or an operation{hint}")
    if not choice:
        return op(name)
    choices = {
        value: param.name
        for param in reversed(OPS[CODES[name]].params)
        if isinstance(param, Choice)
        for value in param.values
    }
    if choice not in choices:
        known = ", ".join(choices) or "nothing to choose"
        raise UsageError(f"--alphabet {word}: {name} has {known}")
    return op(name, **{choices[choice]: choice})
