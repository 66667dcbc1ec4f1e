"""Files of hand-written traces: how they are read, and what is said about a bad one.

A case is a trace, with one event on each line: actor, kind, fields. `# first` and `# second` mark
the two events of the first violation. `signatures` lists all violations of the file's rule (none: a
good trace), `sentences` their sentences, `situations` all situations of that rule that are met. Any
other key is a field of the device.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.device import FIELDS, DeviceConfig
from vblkfuzz.trace.event import ActorId, Event, Frame
from vblkfuzz.trace.kinds import KINDS

ACTORS = {actor.name.lower(): actor for actor in ActorId}
NUMBERS = {kind.name: number for number, kind in KINDS.items()}
FRAMES = {frame.name.lower(): frame for frame in Frame}
SITUATIONS = {rule.id: [situation.name for situation in rule.situations] for rule in RULES}
KEYS = ("title", "trace", "signatures", "sentences", "situations", *FIELDS)
EVENT_FIELDS = [name for name in Event._fields if name not in ("turn", "kind", "actor")]


@dataclass(frozen=True)
class Case:
    rule: str
    title: str
    events: tuple[Event, ...]
    first: int | None
    second: int | None
    signatures: tuple[str, ...]
    sentences: tuple[str, ...]
    situations: frozenset[str]
    device: DeviceConfig


def load(file: Path) -> list[Case]:
    """Return the cases of a file.

    Raises:
        ValueError: in one line: file, title of the case, line of its trace, what is expected.
    """
    try:
        known("the name of a rule", file.stem, [rule.lower() for rule in SITUATIONS])
        entries = tomllib.loads(file.read_text()).get("case")
        if not isinstance(entries, list):
            raise ValueError("expected cases, each begun by [[case]]")
        return [case(file.stem.upper(), entry) for entry in entries]
    except ValueError as error:
        raise ValueError(f"cases/{file.name}: {error}") from None


def case(rule: str, entry: dict[str, Any]) -> Case:
    try:
        for key in entry:
            known("a key of a case", key, KEYS)
        for key in ("title", "trace"):
            if not isinstance(entry.get(key), str):
                raise ValueError(f"{key}: expected a text")
        for name in entry.get("situations", ()):
            known(f"a situation of {rule}", name, SITUATIONS[rule])
        lines = entry["trace"].strip().splitlines()
        return Case(
            rule,
            entry["title"],
            tuple(event(turn, line) for turn, line in enumerate(lines)),
            marked(lines, "first"),
            marked(lines, "second"),
            tuple(entry.get("signatures", ())),
            tuple(entry.get("sentences", ())),
            frozenset(entry.get("situations", ())),
            DeviceConfig(**{name: entry[name] for name in FIELDS if name in entry}),
        )
    except ValueError as error:
        raise ValueError(f"{entry.get('title', 'a case without a title')}: {error}") from None


def event(turn: int, line: str) -> Event:
    words = line.partition("#")[0].split()
    try:
        if len(words) < 2:
            raise ValueError("expected an actor, a kind, and fields like queue=0")
        actor = ACTORS[known("an actor", words[0], ACTORS)]
        kind = NUMBERS[known("a kind of trace/kinds.py", words[1], NUMBERS)]
        return Event(turn, kind, actor, **dict(map(field, words[2:])))
    except ValueError as error:
        raise ValueError(f"line {turn + 1} of its trace, {line!r}: {error}") from None


def field(word: str) -> tuple[str, int]:
    name, _, text = word.partition("=")
    known("a field of an event", name, EVENT_FIELDS)
    if name == "path":
        frames = [FRAMES[known("a Frame", one, FRAMES)] for one in text.split(">")]
        return name, int.from_bytes(bytes(frames), "big")
    if not text.isdecimal():
        raise ValueError(f"{word}: expected {name}=NUMBER")
    return name, int(text)


def known(what: str, word: str, words: Iterable[str]) -> str:
    """Return a word that is one of some words; else raise, and name those that are near."""
    words = list(words)
    if word not in words:
        near = get_close_matches(word, words) or words
        raise ValueError(f"{word}: expected {what}, such as {', '.join(near)}")
    return word


def marked(lines: list[str], mark: str) -> int | None:
    turns = [turn for turn, line in enumerate(lines) if mark in line.partition("#")[2].split()]
    return turns[0] if turns else None
