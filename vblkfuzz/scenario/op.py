"""An operation of a scenario, with its arguments.

An `Op` is a plain tuple so that the hot path can index it. Tests and scripts build one with
`op(...)`:

    >>> op("publish_kick", queue=0, request="out", sector=3)
    publish_kick(queue=0, request=out, sector=3, sectors=1)

The operations are listed in `scenario.alphabet`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.param import ARGS, is_quiet, stored_of, value_of

if TYPE_CHECKING:
    from vblkfuzz.scenario.alphabet.spec import OpSpec


class Op(NamedTuple):
    """One operation: its code and its argument fields (0 if unused)."""

    code: int
    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0

    @property
    def spec(self) -> OpSpec:
        """The operation's row of the alphabet."""
        return OPS[self.code]

    @property
    def name(self) -> str:
        """The operation's name, as in the text form."""
        return OPS[self.code].name

    @property
    def args(self) -> dict[str, int | str]:
        """Arguments by name; the value of a choice is its text. See `Choice.quiet`."""
        return {
            param.name: value_of(param, stored)
            for param in self.spec.params
            if (stored := self[1 + param.field]) or not is_quiet(param)
        }

    def __repr__(self) -> str:
        """Return the op in short form: ``kick(queue=0)``."""
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.args.items())})"


def op(name: str, **arguments: int | str) -> Op:
    """Build an operation by name. A missing argument takes its lowest or first value.

    Raises:
        ValueError: unknown name, unknown argument, or a value out of range.
    """
    if name not in CODES:
        raise ValueError(f"expected one of {', '.join(CODES)}, found {name!r}")
    code = CODES[name]
    fields = [0] * ARGS
    params = {param.name: param for param in OPS[code].params}
    for argument, value in arguments.items():
        if argument not in params:
            known = ", ".join(params) or "no arguments"
            raise ValueError(f"{argument}: {name} takes {known}")
        try:
            fields[params[argument].field] = stored_of(params[argument], value)
        except ValueError as error:
            raise ValueError(f"{argument}: {error}") from None
    return Op(code, *fields)
