"""A fingerprint of the whole state of the model between two steps.

Two executions in the same state go on alike, whatever led there. The state is all that can be
reached from the machine and the guest: attributes, containers, guest memory, registers, and the
code that is under way, that is each generator with the place where it waits, its variables and the
iterators of its loops. Nothing is listed by hand, so what a defect or a device of a user adds is
part of it. Left out is the trace: whether two histories are alike is decided in `dpor`.

Objects are numbered in the order in which they are met, so addresses do not matter, but whether two
references lead to one object does. An object of a type that is not known here makes a state unlike
any other: that costs work, but hides nothing.
"""

from __future__ import annotations

import gc
from collections import deque
from enum import Enum
from functools import cache, partial
from hashlib import blake2b
from itertools import chain, count, islice
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.trace.ring import TraceRing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PLAIN: Final = frozenset((int, str, float, bool, type(None)))
_BYTES: Final = (bytes, bytearray, memoryview)
_SAMPLES: Final[tuple[Any, ...]] = (
    *((), [], range(0), range(1 << 99), deque(), {}, {}.items(), {}.values(), b"", "", set()),
    *(enumerate(()), zip(), map(repr, ()), filter(None, ()), reversed([]), chain(), islice((), 0)),
)
_ITERATORS: Final = tuple({type(iter(each)) for each in _SAMPLES})
_unlike: Final = count()
"""Numbers for objects that are like no other."""


def fingerprint(*roots: object) -> bytes:
    """Return 16 bytes that are equal for equal states; `roots` lead to the state."""
    walk = _Walk()
    for root in roots:
        walk.visit(root)
    return blake2b(repr(walk.tokens).encode(), digest_size=16).digest()


class _Walk:
    """Visits objects depth first and writes a token for each."""

    def __init__(self) -> None:
        self.tokens: list[object] = []
        self._numbers: dict[int, int] = {}
        """By id: objects that have been met."""
        self._kept: list[object] = []
        """They stay alive, so that no other object gets their id."""

    def visit(self, thing: Any) -> None:  # noqa: ANN401 -- whatever a state is made of
        """Write the tokens of an object and of what it leads to."""
        if type(thing) in _PLAIN:
            self.tokens.append(thing)
            return
        number = self._numbers.get(id(thing))
        if number is not None:
            self.tokens.append(("again", number))
            return
        self._numbers[id(thing)] = len(self._numbers)
        self._kept.append(thing)
        _visit(type(thing))(self, thing)  # type: ignore[arg-type]  # classes are hashable

    def _all(self, name: str, things: Iterable[object]) -> None:
        self.tokens.append(name)
        for thing in things:
            self.visit(thing)
        self.tokens.append("end")

    def _nothing(self, _thing: object) -> None:
        """Leave out what is no state."""

    def _value(self, thing: int | str | float) -> None:
        # An enumerator is its value: nothing depends on which of the two is at hand.
        self.tokens.append(thing.value if isinstance(thing, Enum) else thing)

    def _named(self, thing: Any) -> None:  # noqa: ANN401
        self.tokens.append(f"{thing.__module__}.{thing.__qualname__}")

    def _module(self, thing: ModuleType) -> None:
        self.tokens.append(thing.__name__)

    def _code(self, thing: CodeType) -> None:
        self.tokens.append(f"{thing.co_filename}:{thing.co_firstlineno} {thing.co_qualname}")

    def _bytes(self, thing: bytes | bytearray | memoryview) -> None:
        short = len(thing) <= 32
        data = bytes(thing) if short else blake2b(thing, digest_size=16).digest()
        self.tokens.append(data)

    def _sequence(self, thing: Iterable[object]) -> None:
        self._all(type(thing).__name__, thing)

    def _slice(self, thing: slice) -> None:
        self._all("slice", (thing.start, thing.stop, thing.step))

    def _range(self, thing: range) -> None:
        self._all("range", (thing.start, thing.stop, thing.step))

    def _set(self, thing: Iterable[object]) -> None:
        things = list(thing)
        if all(isinstance(each, (int, str)) for each in things):
            things.sort(key=repr)
        self._all("set", things)

    def _dict(self, thing: dict[object, object]) -> None:
        self._all("dict", (each for item in thing.items() for each in item))

    def _function(self, thing: FunctionType) -> None:
        parts = (thing.__code__, thing.__defaults__, thing.__kwdefaults__, thing.__closure__)
        self._all("function", parts)

    def _builtin(self, thing: BuiltinFunctionType) -> None:
        owner = thing.__self__
        self._all(f"builtin {thing.__qualname__}", () if owner is None else (owner,))

    def _method(self, thing: MethodType) -> None:
        self._all("method", (thing.__func__, thing.__self__))

    def _partial(self, thing: partial[object]) -> None:
        self._all("partial", (thing.func, thing.args, thing.keywords))

    def _cell(self, thing: CellType) -> None:
        try:
            content = thing.cell_contents
        except ValueError:
            self.tokens.append("empty cell")
        else:
            self._all("cell", (content,))

    def _generator(self, thing: GeneratorType[object, object, object]) -> None:
        frame = thing.gi_frame
        if frame is None:
            self.tokens.append("ended")
            return
        names = list(frame.f_locals)
        # Its variables, and the iterators and inner generators that are on its stack only.
        inner = [each for each in gc.get_referents(thing) if not isinstance(each, FrameType)]
        self._all("generator", (frame.f_lasti, *names, thing.gi_code, *_without(inner, names)))

    def _iterator(self, thing: Any) -> None:  # noqa: ANN401
        self._all("iterator", thing.__reduce__())

    def _instance(self, thing: object) -> None:
        if not _is_written_in_python(type(thing)):
            self.tokens.append(("unlike any other", next(_unlike)))
            return
        self._named(type(thing))
        self._all("instance", (each for item in _attributes(thing) for each in item))


def _without(things: list[object], names: list[str]) -> Iterator[object]:
    """Yield things without the copy of its variables that looking at a frame leaves in it."""
    for each in things:
        if not (isinstance(each, dict) and list(each) == names):
            yield each


def _is_written_in_python(kind: type) -> bool:
    """Whether all that instances hold is in attributes, which a class written in C can hide."""
    return all(each.__dictoffset__ or "__slots__" in vars(each) for each in kind.__mro__[:-1])


def _attributes(thing: object) -> Iterator[tuple[str, object]]:
    """Yield names and values of an object's attributes that are set."""
    yield from getattr(thing, "__dict__", {}).items()
    for name in _slots(type(thing)):  # type: ignore[arg-type]  # classes are hashable
        if hasattr(thing, name):
            yield name, getattr(thing, name)


@cache
def _slots(kind: type) -> tuple[str, ...]:
    """Return the names of the slots of a class and of its base classes."""
    found = []
    for each in kind.__mro__:
        slots = vars(each).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            private = name[:2] == "__" and name[-2:] != "__"
            found.append(f"_{each.__name__.lstrip('_')}{name}" if private else name)
    return tuple(name for name in found if name not in ("__dict__", "__weakref__"))


@cache
def _visit(kind: type) -> Callable[[_Walk, Any], None]:
    """Return how to visit objects of a type."""
    return next((how for kinds, how in _HOW if issubclass(kind, kinds)), _Walk._instance)


_HOW: Final[tuple[tuple[type | tuple[type, ...], Callable[[_Walk, Any], None]], ...]] = (
    (TraceRing, _Walk._nothing),
    ((int, str, float), _Walk._value),
    (type, _Walk._named),
    (ModuleType, _Walk._module),
    (CodeType, _Walk._code),
    (_BYTES, _Walk._bytes),
    (GeneratorType, _Walk._generator),
    (MethodType, _Walk._method),
    (FunctionType, _Walk._function),
    (BuiltinFunctionType, _Walk._builtin),
    (CellType, _Walk._cell),
    (partial, _Walk._partial),
    ((tuple, list, deque), _Walk._sequence),
    (slice, _Walk._slice),
    (range, _Walk._range),
    ((set, frozenset), _Walk._set),
    ((dict, MappingProxyType), _Walk._dict),
    (_ITERATORS, _Walk._iterator),
)
