"""A user's device class as it is loaded: what in it cannot work, a line each.

A device overrides methods of ours that are called in one way only: most are generators, whose steps
run when somebody iterates them, others are plain. A mistake in that would show as a strange error
far from its place, or as silence: a method with a misspelt name is never called. Only the classes
of the user's are looked at, method by method; nothing of this is done while a device runs.
"""

from __future__ import annotations

import ast
import difflib
import dis
import inspect
import textwrap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.errors import DeviceClassError
from vblkfuzz.targets.attribute_check import wrong_value
from vblkfuzz.targets.python_twin import python_twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_OURS: Final = "vblkfuzz."
PARTS: Final = (
    *("block_backend", "aio_context", "operator", "queue_port"),
    *("device_queue", "packed_queue"),
)
"""Class attributes of a device that name the classes of its parts."""
_NEARLY: Final = 0.85
"""Likeness of two names (`difflib`) of which one is a mistake for the other."""
_MOST: Final = 5
"""Arguments that an operation of the operator is given, whether it has so many or not."""
_STEPS: Final = ("Steps", "Generator")


class Problem(NamedTuple):
    """What cannot work."""

    owner: type
    name: str
    """Of the method or the attribute."""
    what: str

    def __str__(self) -> str:
        """Return it as one line: file, class, method, what is expected."""
        return f"{_file(self.owner)}: {self.owner.__qualname__}.{self.name}: {self.what}"


def check_class(device: type[VirtioBlk]) -> None:
    """Look for problems of a user's device and its parts.

    Raises:
        DeviceClassError: there are some.
    """
    found = list(problems(device))
    for part in PARTS:
        own = getattr(device, part)
        if isinstance(own, type):
            found += problems(own)
    if found:
        raise DeviceClassError(tuple(map(str, found)))


def problems(device: type) -> Iterator[Problem]:
    """Yield what cannot work in the classes of the user's that `device` consists of."""
    for left in sorted(getattr(device, "__abstractmethods__", ())):
        yield Problem(device, left, "abstract: expected a method in its place")
    for owner in device.__mro__:
        if not in_package(owner):
            for name, value in vars(owner).items():
                yield from _of_name(owner, name, value)
    yield from _of_constructor(device)


def in_package(owner: type) -> bool:
    """Whether a class is of vblkfuzz, or Python's `object` or `ABC`."""
    return owner.__module__.startswith(_OURS) or owner.__module__ in ("builtins", "abc")


def _of_name(owner: type, name: str, value: object) -> Iterator[Problem]:
    base = overridden(owner, name)
    if name.startswith("__"):
        return
    if base is None:
        yield from _misspelt(owner, name, value)
    else:
        for what in _of_override(value, base):
            yield Problem(owner, name, what)
        if what := wrong_value(name, value):
            yield Problem(owner, name, what)
    if is_function(value):
        for line, called in _dropped(owner, value):
            yield Problem(owner, name, f"line {line}: {called} has steps: expected yield from")


def _of_constructor(device: type) -> Iterator[Problem]:
    """Look at the one that is called; a class above may have another, which it calls."""
    name = "__init__"
    owner = next(each for each in device.__mro__ if name in vars(each))
    base = overridden(device, name)
    if base is not None and not in_package(owner):
        for what in _of_override(vars(owner)[name], base):
            yield Problem(owner, name, what)


def overridden(owner: type, name: str) -> Any:  # noqa: ANN401 -- whatever the class has
    """Return what a class of ours has under a name that `owner` uses too; None: nothing."""
    return next((ours[name] for ours in _ours(owner) if name in ours), None)


def _ours(owner: type) -> Iterator[Mapping[str, Any]]:
    """Yield what the classes of ours have that `owner` derives from."""
    for base in owner.__mro__[1:]:
        if in_package(base) and base is not object:
            yield vars(python_twin(base))


def is_function(value: object) -> bool:
    """Whether something is a function, perhaps decorated, or a static or class method."""
    return inspect.isfunction(inspect.unwrap(_called(value)))


def _called(value: Any) -> Any:  # noqa: ANN401 -- whatever the class has
    """Return the function of a static or class method, or the value itself."""
    return getattr(value, "__func__", value)


# --- Methods and attributes that ours are replaced by --------------------------------------------


def _of_override(value: object, base: Any) -> Iterator[str]:  # noqa: ANN401 -- any
    """Say what is wrong with a value that replaces one of ours."""
    if is_function(base):
        if not is_function(value):
            yield f"expected a method, found {type(value).__name__}"
            return
        yield from _of_steps(_called(value), base)
        yield from _of_signature(value, base)
    elif isinstance(base, property) and is_function(value):
        yield "expected a property, found a method: nobody calls it"
    elif isinstance(base, type):
        if not (isinstance(value, type) and issubclass(value, base)):
            yield f"expected a subclass of {base.__name__}, found {value!r}"
    elif isinstance(base, (str, dict)) and not isinstance(value, type(base)):
        yield f"expected a {type(base).__name__}, found {value!r}"


def has_steps(function: Callable[..., Any]) -> bool:
    """Whether a function is a generator, or says that it returns one."""
    inner = inspect.unwrap(function)
    said = str(inner.__annotations__.get("return", ""))
    return inspect.isgeneratorfunction(inner) or said.startswith(_STEPS)


def _of_steps(value: Callable[..., Any], base: Callable[..., Any]) -> Iterator[str]:
    inner = inspect.unwrap(value)
    if not has_steps(base):
        if inspect.isgeneratorfunction(value) or inspect.isgeneratorfunction(inner):
            yield "expected a plain method, found a generator: its caller does not iterate it"
    elif not inspect.isgeneratorfunction(inner) and _returns_nothing(inner):
        yield "expected a generator (yield POINT, yield from), found a method that returns nothing"


def _returns_nothing(function: Callable[..., Any]) -> bool:
    """Whether a function returns, and only None."""
    found, before = [], None
    for step in dis.get_instructions(function):
        if step.opname == "RETURN_CONST":
            found.append(step.argval)
        elif step.opname == "RETURN_VALUE":
            nothing = before is not None and before.opname == "LOAD_CONST"
            found.append(before.argval if nothing and before is not None else function)
        before = step
    return bool(found) and all(one is None for one in found)


def _of_signature(value: Any, base: Callable[..., Any]) -> Iterator[str]:  # noqa: ANN401 -- any
    wanted = inspect.signature(base)
    given = inspect.signature(_called(value))
    skip = 1 if not isinstance(value, staticmethod) else 0
    for everything in (True, False):
        positional, named = _arguments(wanted, everything=everything)
        try:
            given.bind(*([None] * skip), *positional, **named)
        except TypeError:
            yield f"expected {_shown(wanted)}, found {_shown(given)}"
            return


def _arguments(
    signature: inspect.Signature, *, everything: bool
) -> tuple[list[None], dict[str, None]]:
    """Return arguments that a method takes, without self: all of them, or what it must have."""
    _, *parameters = signature.parameters.values()
    positional: list[None] = []
    named: dict[str, None] = {}
    for one in parameters:
        if one.kind is one.VAR_POSITIONAL:
            positional += [None] * (1 + _MOST - len(positional))
        elif everything or one.default is one.empty:
            if one.kind is one.KEYWORD_ONLY:
                named[one.name] = None
            elif one.kind is not one.VAR_KEYWORD:
                positional.append(None)
    return positional, named


def _shown(signature: inspect.Signature) -> str:
    """Return a signature without types."""
    plain = [
        one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()
    ]
    return str(inspect.Signature(plain))


# --- Names that nothing of ours has ----------------------------------------------------------


def _misspelt(owner: type, name: str, value: object) -> Iterator[Problem]:
    """Yield a public name that is nearly one of ours, so it is never used."""
    if name.startswith("_"):
        return
    ours = {
        known: each
        for base in _ours(owner)
        for known, each in base.items()
        if not known.startswith("_") and is_function(each) is is_function(value)
    }
    plain = {known.replace("_", ""): known for known in ours}
    near = difflib.get_close_matches(name.replace("_", "").lower(), plain, 1, _NEARLY)
    if near:
        what = f"nothing uses this name; expected {plain[near[0]]}, or a name that begins with _"
        yield Problem(owner, name, what)


# --- Steps that never run ----------------------------------------------------------------------


def _dropped(owner: type, value: object) -> Iterator[tuple[int, str]]:
    """Yield calls of a method with steps whose result is dropped: line, and what is called."""
    function = inspect.unwrap(_called(value))
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute) and _has_steps_in(owner, called):
                yield first + node.lineno - 1, ast.unparse(called)


def _has_steps_in(owner: type, called: ast.Attribute) -> bool:
    """Whether ``self.name``, ``super().name`` or ``self.blk.name`` is a method with steps."""
    place = ast.unparse(called.value)
    if place == "self.blk":
        owner = getattr(owner, "block_backend", object)
    elif place not in ("self", "super()"):
        return False
    found = _static(owner, called.attr)
    return is_function(found) and has_steps(_called(found))


def _static(owner: type, name: str) -> object:
    """Return what a class has under a name, without calling anything."""
    for base in owner.__mro__:
        if name in (found := vars(python_twin(base))):
            return found[name]
    return None


def _file(owner: type) -> str:
    try:
        return inspect.getsourcefile(owner) or owner.__module__
    except (OSError, TypeError):
        return owner.__module__
