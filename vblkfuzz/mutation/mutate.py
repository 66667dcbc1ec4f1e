"""The custom mutator and crossover of the fuzzer.

The operations of an input are its *story*. `Mutator.mutate` unpacks an input into a draft
(`mutation.draft`), applies one to four edits, mostly repairs the story so that it makes sense
(`mutation.repair`), and packs the draft into canonical bytes. Edits prefer operations whose
preconditions hold (`mutation.story_state`), small arguments, few deviations and races
(`mutation.deviate`), since these find bugs soon. Now and then the input is replaced by a new short
story, often by a short one of this campaign (`mutation.parents`), and at first by a long story of
any operations (`mutation.walk`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from vblkfuzz.mutation.argument import changed_record, new_record
from vblkfuzz.mutation.beginning import Beginning
from vblkfuzz.mutation.configure import change_config, new_config, set_fields, set_units
from vblkfuzz.mutation.deviate import burst, change_schedule, delay, race, steer
from vblkfuzz.mutation.draft import Draft, Item
from vblkfuzz.mutation.early import early
from vblkfuzz.mutation.enclose import enclose
from vblkfuzz.mutation.interrupt import Stops, interrupt
from vblkfuzz.mutation.made import Made
from vblkfuzz.mutation.parents import Parent, Parents
from vblkfuzz.mutation.places import Place
from vblkfuzz.mutation.relate import move_to_end, relate, relate_at
from vblkfuzz.mutation.repair import INIT_ITEM, repair
from vblkfuzz.mutation.sentence import AROUND, SNIPPETS, Sentence, records
from vblkfuzz.mutation.story_state import choices
from vblkfuzz.mutation.sweep import Sweep
from vblkfuzz.mutation.walk import walk
from vblkfuzz.scenario.alphabet.ops import CODES, OPS, PUBLISHES
from vblkfuzz.scenario.device import Value

Edit = Callable[[Draft], None]
_INIT: Final = CODES["init"]
_PUBLISH_KICK: Final = CODES["publish_kick"]

_MAX_EDITS: Final = 4
_REPAIRED: Final = 0.85
"""Probability that the story is repaired. The others may violate preconditions, on purpose."""
_ANY_OP: Final = 1 / 16
"""Probability that an inserted operation need not fit the story."""
_ATTEMPTS: Final = 8
"""Attempts to get bytes other than the input: a repair may undo an edit."""
_FEW: Final = 80
"""With fewer parents than this a new story is more likely: what is made of few is much alike."""
_FRESH: Final = 1 / 4
"""Probability that the input is replaced by a new story. Most bugs need only a very short one, but
inputs of a corpus grow. libFuzzer asks for a crossover in half of all executions, so one in eight
has a new story."""
_OWN: Final = 1 / 2
"""Probability that a parent of ours takes the place of the one that libFuzzer has chosen."""
_UNCROSSED: Final = 1 / 2
"""Probability that an input is mutated where libFuzzer asks for a crossover, if there are parents
of ours. What libFuzzer crosses is long."""
_EARLY: Final = 0.3
"""Probability that a story stays as it is, and a thread goes on earlier in it."""
_SWEPT: Final = 1 / 2
"""Probability that a short story is interrupted where that was not tried, of a device behind a
gate. Short stories take a fraction of the time of others."""
_INTERRUPTED: Final = 1 / 6
"""Probability that only the schedule of a story changes, of a device behind a gate."""
_INTERRUPTED_TOO: Final = 1 / 4
"""Probability that a thread is interrupted beside other edits."""
_OTHER_INIT: Final = 1 / 4
"""Probability that a new story begins with any init, which may decline a feature."""
_RELATED: Final = 0.75
"""Probability that an inserted request touches the sectors of another one or the disk's end."""
_AT_END: Final = 0.2
"""Probability that requests of a new story are at the end of the disk."""
_SHORT: Final = 5
"""With fewer operations than this an input is not shortened."""
_LONG: Final = 20
"""From this number of operations on, an input is shortened more often."""


class Mutator:
    """Makes new inputs from old ones; the same seed and calls give the same bytes."""

    def __init__(
        self,
        seed: int,
        stops: Stops | None = None,
        parents: Parents | None = None,
        fields: Mapping[str, Value] | None = None,
        *,
        units: bool = False,
    ) -> None:
        """Begin.

        Args:
            seed: any number.
            stops: the points that threads of the device pass, if a schedule interrupts them.
            parents: the shortest inputs of the campaign; whoever runs inputs tells them which.
            fields: those of the device that all new inputs have; None: any.
            units: new stories have several logical units now and then, since the device can.
        """
        self._stops = stops
        self._fields = fields or {}
        self._units = units
        self._parents = Parents() if parents is None else parents
        self._sweep = Sweep()
        self._by: list[str] = []
        """What the last input was made by."""
        self._of: tuple[bytes, ...] = ()
        self._beginning = Beginning()
        # Python guarantees only for random() that its sequence stays the same in later versions;
        # randrange, choice and shuffle have changed. Hence int(random() * n).
        self._random = Random(seed).random
        grow: tuple[Edit, ...] = (
            (self._insert,) * 6 + (self._insert_snippet,) * 4 + (self._insert_around,) * 4
        )
        shrink: tuple[Edit, ...] = (self._delete,) * 4 + (self._delete_range,) + (self._cut,)
        alter: tuple[Edit, ...] = (
            *(self._duplicate, self._swap, self._move),
            *(self._change_argument,) * 3,
            *(self._change_config,) * 2,
            *(self._change_schedule,) * 5,
            *(self._race,) * 5,
            *(self._steer,) * 2,
            *(self._relate,) * 3,
            *(self._enclose,) * 4,
            *(self._delay,) * 2,
            self._burst,
        )
        self._edits_short = grow * 2 + alter
        self._edits = grow + shrink + alter
        self._edits_long = grow + shrink * 4 + alter

    @property
    def made(self) -> Made:
        """How the last input was made."""
        return Made(tuple(self._by), self._of)

    def mutate(self, data: bytes, max_size: int) -> bytes:
        """Return a mutated input: canonical, at most `max_size` bytes."""
        return self._walk(max_size) if self._walks() else self._mutated(data, max_size)

    def _mutated(self, data: bytes, max_size: int) -> bytes:
        if swept := self._swept():
            self._by, self._of = ["sweep"], ()
            return swept.pack(max_size)
        if self._few() and self._random() * _FEW >= len(self._parents):
            return self._finish(self._new_story(Draft.of(data)), max_size)
        result = b""
        for _ in range(_ATTEMPTS):
            place = self._place()
            parent = place or self._parent()
            source = parent.data if parent else data
            self._by, self._of = [], (source,)
            result = self._finish(self._child(Draft.of(source), place), max_size)
            if result != source:
                break
        return result

    def _few(self) -> bool:
        """Whether there are parents, but few."""
        return 0 < len(self._parents) < _FEW

    def _place(self) -> Place | None:
        """Perhaps choose a place at which a thread goes on earlier."""
        self._parents.none_chosen()
        if not len(self._parents.places) or self._random() >= _EARLY:
            return None
        return self._parents.places.choose(self._random)

    def _parent(self) -> Parent | None:
        """Perhaps choose a parent instead of the one that libFuzzer has chosen."""
        self._parents.none_chosen()
        if not len(self._parents) or self._random() >= _OWN:
            return None
        return self._parents.choose(self._random)

    def _child(self, draft: Draft, place: Place | None) -> Draft:
        """Return an edited draft; `place` is where a thread goes on earlier in it, if chosen."""
        if self._interrupts(draft, _INTERRUPTED):
            return draft
        if place is not None:
            self._by.append("early")
            early(draft, place, self._random)
        elif not draft.items or self._random() < _FRESH:
            self._new_story(draft)
        else:
            self._edit(draft)
        self._interrupts(draft, _INTERRUPTED_TOO)
        return draft

    def _new_story(self, draft: Draft) -> Draft:
        """Replace the draft by a story that is nobody's child."""
        self._parents.none_chosen()
        self._by, self._of = ["new"], ()
        self._begin(draft)
        return draft

    def _walks(self) -> bool:
        """Whether the next input is a walk; not without feedback, nor behind a gate."""
        self._beginning.note()
        if not len(self._parents) or self._stops is not None:
            return False
        return self._beginning.walks(self._random)

    def _walk(self, max_size: int) -> bytes:
        draft = Draft([], [])
        self._parents.none_chosen()
        self._by, self._of = ["walk"], ()
        walk(draft, self._beginning.longest, self._random)
        return self._finish(draft, max_size)

    def _swept(self) -> Draft | None:
        """Perhaps return a short story with an interruption that was not tried on it."""
        if self._stops is None or self._random() >= _SWEPT:
            return None
        return self._sweep.next(self._stops, self._random)

    def _interrupts(self, draft: Draft, probability: float) -> bool:
        """Perhaps interrupt a thread of a device behind a gate; return whether that was chosen."""
        if self._stops is None or self._random() >= probability:
            return False
        self._by.append("interrupt")
        interrupt(draft, self._stops, self._random)
        return True

    def crossover(self, left: bytes, right: bytes, max_size: int) -> bytes:
        """Return an input with operations of both inputs, on the device of one of them.

        It is canonical and has at most `max_size` bytes.
        """
        if self._walks():
            return self._walk(max_size)
        if self._few() or (len(self._parents) and self._random() < _UNCROSSED):
            return self._mutated(left, max_size)
        self._parents.none_chosen()
        self._by, self._of = ["cross"], (left, right)
        one, other = Draft.of(left), Draft.of(right)
        start = self._below(len(one.items) + 1)
        first = self._below(len(other.items) + 1)
        if self._random() < 0.5:
            one.items[start:] = other.items[first:]
        else:
            one.items[start:start] = other.items[first : first + 1 + self._below(8)]
        if self._random() < 0.25:
            one.config = other.config
        result = self._finish(one, max_size)
        return self._mutated(result, max_size) if result in (left, right) else result

    def _below(self, count: int) -> int:
        return int(self._random() * count)

    def _finish(self, draft: Draft, max_size: int) -> bytes:
        if self._random() < _REPAIRED:
            repair(draft, self._random)
        set_fields(draft.config, self._fields)
        if self._stops is not None:
            self._sweep.offer(draft)
        return draft.pack(max_size)

    def _begin(self, draft: Draft) -> None:
        """Replace the draft by a new short story."""
        draft.config = new_config(self._random)
        if self._units:
            set_units(draft.config, self._random)
        first = self._new(_INIT) if self._random() < _OTHER_INIT else INIT_ITEM
        draft.items = [first, self._new(_PUBLISH_KICK)]
        for _ in range(1 + self._below(3)):
            self._edits_short[self._below(len(self._edits_short))](draft)
        if self._random() < _AT_END:
            move_to_end(draft, self._random)
        chance = self._random()
        if chance < 0.15:
            burst(draft, self._random)
        elif chance < 0.22:
            delay(draft, self._random)
        elif chance < 0.85:
            race(draft, self._random)
            if chance < 0.35:
                steer(draft, self._random)
        elif chance < 0.93:
            steer(draft, self._random)

    def _edit(self, draft: Draft) -> None:
        if len(draft.items) >= _LONG and self._random() < 0.5:
            self._by.append("cut")
            self._cut(draft)
        for _ in range(_MAX_EDITS):
            size = len(draft.items)
            if size < _SHORT:
                edits = self._edits_short
            else:
                edits = self._edits if size < _LONG else self._edits_long
            edit = edits[int(self._random() * len(edits))]
            self._by.append(edit.__name__[1:])
            edit(draft)
            if self._random() < 0.5:
                return

    # --- Edits of the operations --------------------------------------------------------------

    def _new(self, code: int) -> Item:
        return new_record(code, self._random), ()

    def _items(self, sentence: Sentence) -> list[Item]:
        return [(record, ()) for record in records(sentence, self._random)]

    def _insert(self, draft: Draft) -> None:
        """Insert one operation; in most cases one that fits."""
        at = self._below(len(draft.items) + 1)
        if self._random() < _ANY_OP:
            code = self._below(len(OPS))
        else:
            fitting = choices(draft.state_before(at))
            code = fitting[int(self._random() * len(fitting))]
        draft.items.insert(at, self._new(code))
        if code in PUBLISHES and self._random() < _RELATED:
            relate_at(draft, at, self._random)

    def _insert_snippet(self, draft: Draft) -> None:
        at = self._below(len(draft.items) + 1)
        snippet = SNIPPETS[self._below(len(SNIPPETS))]
        draft.items[at:at] = self._items(snippet)

    def _insert_around(self, draft: Draft) -> None:
        """Insert two sentences that belong together, before and after a range of operations."""
        start, end = self._range(draft, 8)
        before, after = AROUND[self._below(len(AROUND))]
        items = self._items(before + after)
        draft.items[end:end] = items[len(before) :]
        draft.items[start:start] = items[: len(before)]

    def _delete(self, draft: Draft) -> None:
        if draft.items:
            del draft.items[self._below(len(draft.items))]

    def _delete_range(self, draft: Draft) -> None:
        start, end = self._range(draft, 8)
        del draft.items[start:end]

    def _cut(self, draft: Draft) -> None:
        """End the story early: later operations may hide a bug."""
        del draft.items[2 + self._below(len(draft.items)) :]

    def _duplicate(self, draft: Draft) -> None:
        """Repeat a range, without its deviations, so that these stay few."""
        start, end = self._range(draft, 5)
        draft.items[end:end] = [(record, ()) for record, _ in draft.items[start:end]]

    def _swap(self, draft: Draft) -> None:
        if len(draft.items) > 1:
            at = self._below(len(draft.items) - 1)
            draft.items[at : at + 2] = draft.items[at + 1], draft.items[at]

    def _move(self, draft: Draft) -> None:
        if draft.items:
            item = draft.items.pop(self._below(len(draft.items)))
            draft.items.insert(self._below(len(draft.items) + 1), item)

    def _change_argument(self, draft: Draft) -> None:
        if draft.items:
            at = self._below(len(draft.items))
            record, marks = draft.items[at]
            draft.items[at] = changed_record(record, self._random), marks

    def _range(self, draft: Draft, longest: int) -> tuple[int, int]:
        """Choose a range of up to `longest` items; it is empty only if the draft is."""
        size = len(draft.items)
        start = self._below(size)
        return start, min(size, start + 1 + self._below(longest))

    # --- Edits of the device and the schedule -------------------------------------------------

    def _change_config(self, draft: Draft) -> None:
        change_config(draft.config, self._random)

    def _change_schedule(self, draft: Draft) -> None:
        change_schedule(draft, self._random)

    def _race(self, draft: Draft) -> None:
        race(draft, self._random)

    def _steer(self, draft: Draft) -> None:
        steer(draft, self._random)

    def _relate(self, draft: Draft) -> None:
        relate(draft, self._random)

    def _enclose(self, draft: Draft) -> None:
        enclose(draft, self._random)

    def _delay(self, draft: Draft) -> None:
        delay(draft, self._random)

    def _burst(self, draft: Draft) -> None:
        burst(draft, self._random)
