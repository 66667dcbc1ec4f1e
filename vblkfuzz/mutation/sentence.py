"""Sentences: operations that make sense one after another, told about one thing.

A word is the name of an operation; `publish_kick:out` says which type of request as well. Mostly
all words are about the same queue and the same sectors: a write matters to the read that finds it.
Next: `mutation.mutate`, which inserts sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from vblkfuzz.mutation.argument import QUEUED, new_record, on_queue_of
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.ops import CODES, OPS

_PUBLISH_KICK: Final = CODES["publish_kick"]
_PUBLISHES: Final = frozenset((CODES["publish"], _PUBLISH_KICK))
_ONE_THING: Final = 3 / 4
"""How often a sentence is about one queue and the same sectors."""
_REQUEST: Final = 2
"""Byte of a record that holds the request type of a publish."""
_SECTORS: Final = 4
"""First byte of those that say which sectors a publish is about."""


class Word(NamedTuple):
    """An operation of a sentence."""

    code: int
    request: int | None = None
    """Type of the request; None for any, and for what is no request."""


Sentence = tuple[Word, ...]


def tell(sentence: Sentence, random: Callable[[], float]) -> list[bytes]:
    """Return records for the words of a sentence; what they do not say is picked at random."""
    about = new_record(_PUBLISH_KICK, random) if random() < _ONE_THING else None
    return [_said(word, about, random) for word in sentence]


def _said(word: Word, about: bytes | None, random: Callable[[], float]) -> bytes:
    record = new_record(word.code, random)
    if about is not None and word.code in QUEUED:
        record = on_queue_of(about, record)
        if word.code in _PUBLISHES:
            record = record[:_SECTORS] + about[_SECTORS:]
    if word.request is not None:
        record = record[:_REQUEST] + bytes([word.request]) + record[_REQUEST + 1 :]
    return record


def _sentence(text: str) -> Sentence:
    return tuple(_word(*word.split(":")) for word in text.split())


def _word(name: str, request: str = "") -> Word:
    return Word(CODES[name], REQUESTS.index(request) if request else None)


SNIPPETS: Final = tuple(
    _sentence(text)
    for text in (
        "publish_kick collect",
        "publish_kick publish_kick",
        "publish publish kick",
        "publish inband_kick",
        "publish_kick collect publish_kick",
        "publish_kick publish_kick collect",
        "publish_kick collect set_used_event publish_kick",
        "publish_kick:out publish_kick:in collect",
        "publish_kick:out publish_kick:flush power_loss init publish_kick:in collect",
        "publish_kick publish_kick power_loss init publish_kick collect",
        "resize read_config",
        "read_config resize read_config",
        "reset init",
        "reset init publish_kick",
        "system_reset init",
        "queue_reset publish_kick",
        "stop cont publish_kick",
        "publish_kick drain_begin drain_end",
        "hold publish_kick complete",
        "snapshot publish_kick",
    )
)

FRAMES: Final = tuple(
    (_sentence(before), _sentence(behind))
    for before, _, behind in (text.partition("|") for spec in OPS for text in spec.frames)
)
"""What goes before and behind operations that are already there."""
