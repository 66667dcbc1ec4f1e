"""A step that cannot be used: the method that has yielded it, or returned a list, is to blame.

The turnstile calls a condition when the method is not on the stack.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from vblkfuzz.dataplane.wrong_return import WrongValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType


class WrongStep(WrongValue):
    """A method with steps has yielded a value that is neither POINT nor a condition."""

    def __init__(self, steps: object, problem: str) -> None:
        codes = [*_codes(steps)]
        names = f"{codes[-1].co_qualname}: " if codes else ""
        super().__init__(f"{names}expected yield POINT or yield CONDITION, {problem}")
        self.codes = tuple(reversed(codes))


class GivenSteps:
    """Steps that a plain method has returned and that are no generator, as a list of points.

    It has the code of the method where a generator has its own, so the method is to blame.
    """

    __slots__ = ("_steps", "gi_code", "gi_yieldfrom")

    def __init__(self, steps: Iterator[Any], method: CodeType) -> None:
        self._steps = steps
        self.gi_code = method
        self.gi_yieldfrom = None

    def __iter__(self) -> GivenSteps:
        """Return itself, as an iterator does."""
        return self

    def __next__(self) -> Any:  # noqa: ANN401  # a user may give anything
        """Return the next step.

        Raises:
            WrongStep: the iterator fails in code that is not Python.
        """
        try:
            return next(self._steps)
        except StopIteration:
            raise
        except Exception as error:
            if was_raised_here(error):
                raise WrongStep(self, f"found {type(error).__name__}: {error}") from error
            raise


def checked_condition(wait: Any, steps: object) -> Callable[[], bool]:  # noqa: ANN401  # anything
    """Return a condition that the innermost of `steps` has yielded.

    A function without parameters cannot fail to be called, so nothing is added to that: it is what
    nearly all conditions are.

    Raises:
        WrongStep: it cannot be called; if only the call shows that, the call raises this.
    """
    code = getattr(wait, "__code__", None)
    if code is not None and code.co_argcount == hasattr(wait, "__self__"):
        if not code.co_kwonlyargcount:
            return wait  # type: ignore[no-any-return]
    elif not callable(wait):
        raise WrongStep(steps, f"found {type(wait).__name__}")

    def condition() -> bool:
        try:
            return wait()  # type: ignore[no-any-return]
        except Exception as error:
            if was_raised_here(error):
                raise WrongStep(steps, f"found {type(error).__name__}: {error}") from error
            raise

    return condition


def was_raised_here(error: BaseException) -> bool:
    """Whether the function that has caught `error` called no Python code that raised it."""
    return error.__traceback__ is not None and error.__traceback__.tb_next is None


def is_generator(steps: object) -> bool:
    """Whether these are steps of a generator function, of a user's or of ours."""
    return isinstance(steps, GeneratorType) or _is_compiled(steps)


def _is_compiled(steps: object) -> bool:
    """Whether these are steps of ours in a compiled build: each function has a type of its own."""
    return isinstance(steps, Generator) and type(steps).__module__.startswith("vblkfuzz.")


def _codes(steps: Any) -> Iterator[CodeType]:  # noqa: ANN401  # a user may iterate anything
    """Yield the code of generators that wait for one another, the innermost last."""
    while steps is not None:
        if _is_compiled(steps):
            steps = _awaited(steps)
        else:
            if code := getattr(steps, "gi_code", None):
                yield code
            steps = getattr(steps, "gi_yieldfrom", None)


def _awaited(compiled: object) -> object:
    """Return what a compiled generator waits for, if that may be a user's; None: nothing.

    It has no code and does not tell. But the garbage collector sees what it refers to, and of the
    steps among that, only those it waits for have begun and are not over.
    """
    for one in gc.get_referents(compiled):
        begun = isinstance(one, GivenSteps) or getattr(one, "gi_suspended", False)
        if begun or (_is_compiled(one) and _awaited(one) is not None):
            return one
    return None
