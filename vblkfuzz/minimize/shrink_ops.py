"""Passes over the operations: fewer operations, then plainer ones.

Delta debugging comes first: drop ever shorter runs of operations, starting at the end, since the
operations after a bug are rarely needed. Then drop operations that can only go together: a begin
with its end, both with everything in between, a publish with its kick, any two, any three.
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
"""Most operations with which all pairs (2) and all triples (3) of them are dropped: about 250
candidates each."""

_FEW_TO_MOVE: Final = 10
"""Most operations with which `drop_and_move` tries all its candidates."""

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
    """Drop pairs of operations (see `partners`), alone or with all operations in between."""
    for begin in reversed(range(len(search.best.ops))):
        for end in partners(search.best.ops, begin):
            both = search.attempt(without_ops(search.best, (begin, end)))
            if both or search.attempt(without_ops(search.best, range(begin, end + 1))):
                break


def partners(ops: tuple[Op, ...], begin: int) -> Iterator[int]:
    """Yield the places after `begin` of operations that pair with the one there.

    These are an end with its begin, an init with a reset, a kick with a publish. If `begin` is
    beyond the last operation, nothing is yielded.
    """
    if begin >= len(ops):
        return
    code = ops[begin].code
    wanted = _INIT if code in _RESETS else _KICK if code == _PUBLISH else _ENDS.get(code)
    for place in range(begin + 1, len(ops)):
        if ops[place].code == wanted:
            yield place


def drop_few(search: Search) -> None:
    """Drop any two operations, then any three, if there are few enough (`_FEW`)."""
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
    """Drop one or two operations and move another one."""
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
    """Swap neighbours."""
    for _ in search.best.ops:
        for place in range(len(search.best.ops) - 1):
            search.attempt(with_op_moved(search.best, place, place + 1))


def join_kicks(search: Search) -> None:
    """Replace a publish and a later kick by one publish_kick."""
    for place in reversed(range(len(search.best.ops))):
        ops = search.best.ops
        for kick in partners(ops, place) if ops[place].code == _PUBLISH else ():
            for at, other in ((place, kick), (kick, place)):
                joined = with_op(search.best, at, ops[place]._replace(code=_PUBLISH_KICK))
                if search.attempt(without_ops(joined, (other,))):
                    return


def plainer_kinds(search: Search) -> None:
    """Replace operations by plainer ones: all at once, each with its end, each alone."""
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
