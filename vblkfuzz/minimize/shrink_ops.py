"""Passes over the operations: fewer, then plainer ones.

Delta debugging first: ever shorter runs of operations, from the end, since what follows a bug is
nearly always dead weight. Then what only goes together: a begin with its end, all that happens in
between, a publish with its kick, any two, any three.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Final

from vblkfuzz.minimize.edit import with_op, with_op_moved, with_ops, without_ops
from vblkfuzz.minimize.weight import PLAINER
from vblkfuzz.mutation.story_state import PAIRS
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.spec import SET_UP
from vblkfuzz.scenario.op import Op

if TYPE_CHECKING:
    from vblkfuzz.minimize.search import Search
    from vblkfuzz.scenario.scenario import Scenario

_FEW: Final = {2: 24, 3: 12}
"""Up to how many operations all pairs and all triples of them are tried: some 250 candidates."""

_FEW_TO_MOVE: Final = 10
"""Up to how many operations any two are dropped with any move of a third."""

_RESETS: Final = frozenset(spec.code for spec in OPS if spec.clears & SET_UP)
_INIT: Final = CODES["init"]
_PUBLISH: Final = CODES["publish"]
_KICK: Final = CODES["kick"]
_PUBLISH_KICK: Final = CODES["publish_kick"]
_ENDS: Final = {pair.begin: pair.end for pair in PAIRS}


def drop_runs(search: Search) -> None:
    """Drop runs of operations: halves, quarters, ..., single ones."""
    size = len(search.best.ops)
    while size:
        end = len(search.best.ops)
        while end > 0:
            begin = max(end - size, 0)
            search.attempt(without_ops(search.best, range(begin, end)))
            end = begin
        size //= 2


def drop_partners(search: Search) -> None:
    """Drop a begin with its end, with and without what is in between; a reset with its init."""
    for begin in reversed(range(len(search.best.ops))):
        for end in partners(search.best.ops, begin):
            both = search.attempt(without_ops(search.best, (begin, end)))
            if both or search.attempt(without_ops(search.best, range(begin, end + 1))):
                break


def partners(ops: tuple[Op, ...], begin: int) -> Iterator[int]:
    """Yield the places behind `begin` of what only makes sense together with it.

    None if there is no such place any more.
    """
    if begin >= len(ops):
        return
    code = ops[begin].code
    wanted = _INIT if code in _RESETS else _KICK if code == _PUBLISH else _ENDS.get(code)
    for place in range(begin + 1, len(ops)):
        if ops[place].code == wanted:
            yield place


def drop_few(search: Search) -> None:
    """Drop any two operations, then any three, if there are not too many."""
    for count, limit in _FEW.items():
        if len(search.best.ops) <= limit:
            _drop_any(search, count)


def _drop_any(search: Search, count: int) -> None:
    dropped = True
    while dropped:
        places = range(len(search.best.ops))
        dropped = any(
            search.attempt(without_ops(search.best, chosen))
            for chosen in combinations(places, count)
        )


def drop_and_move(search: Search) -> None:
    """Drop one operation or two and have another one stand elsewhere."""
    for count in (1, 2):
        while len(search.best.ops) <= _FEW_TO_MOVE and _dropped_and_moved(search, count):
            pass


def _dropped_and_moved(search: Search, count: int) -> bool:
    places = range(len(search.best.ops))
    return any(
        search.attempt(with_op_moved(without_ops(search.best, chosen), place, to))
        for chosen in combinations(places, count)
        for place, to in permutations(range(len(places) - count), 2)
    )


def in_order(search: Search) -> None:
    """Have neighbours change places."""
    for _ in search.best.ops:
        for place in range(len(search.best.ops) - 1):
            search.attempt(with_op_moved(search.best, place, place + 1))


def join_kicks(search: Search) -> None:
    """Make one operation of a publish and a kick of its queue."""
    for place in reversed(range(len(search.best.ops))):
        ops = search.best.ops
        for kick in partners(ops, place) if ops[place].code == _PUBLISH else ():
            for at, other in ((place, kick), (kick, place)):
                joined = with_op(search.best, at, ops[place]._replace(code=_PUBLISH_KICK))
                if search.attempt(without_ops(joined, (other,))):
                    return


def plainer_kinds(search: Search) -> None:
    """Replace operations by plainer ones: all, each with its end, each alone."""
    search.attempt(_plainer(search, range(len(search.best.ops))))
    for place in range(len(search.best.ops)):
        if search.best.ops[place].code in PLAINER:
            ends = partners(search.best.ops, place)
            if not any(search.attempt(_plainer(search, (place, end))) for end in ends):
                search.attempt(_plainer(search, (place,)))


def _plainer(search: Search, places: range | tuple[int, ...]) -> Scenario:
    ops = search.best.ops
    codes = ((place, PLAINER.get(ops[place].code)) for place in places)
    return with_ops(search.best, ((place, Op(code)) for place, code in codes if code is not None))
