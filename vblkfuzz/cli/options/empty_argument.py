"""An empty argument names nothing: it is refused for every option and argument of every verb.

A shell passes one for a variable that is not set: ``-o "$OUT"``. Python takes an empty path for the
working directory, so without this check a verb would read or write there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from typer.core import TyperArgument, TyperOption

_EXPECTED: Final = {
    "FILE": "the name of a file",
    "DIR": "the name of a folder",
    "DIR|STORE": "the name of a folder, or the URL of a store",
    "FOLDER": "the name of a folder",
    "CORPUS": "the name of a folder",
    "OTHER": "the name of a folder",
    "PATH": "the name of a file or folder",
}
"""What is expected, by the word that the help has for the value."""


def refuse_empty(
    given: Mapping[str, object], parameters: Iterable[TyperOption | TyperArgument]
) -> None:
    """Check the words of a command line.

    Args:
        given: the words of each parameter, by its name, before they become paths and numbers.
        parameters: of the verb; a hidden one is left to the verb, which knows what it is part of.

    Raises:
        UsageError: a word is empty; the error names the option.
    """
    for one in parameters:
        value = given.get(one.name or "")
        words = value if isinstance(value, list | tuple) else (value,)
        if "" in words and not getattr(one, "hidden", False):
            expected = _EXPECTED.get(one.metavar or "", "a value")
            raise UsageError(f"{_name_of(one)}: expected {expected}, found an empty argument")


def _name_of(parameter: TyperOption | TyperArgument) -> str:
    long = [name for name in parameter.opts if name.startswith("--")]
    return long[0] if long else parameter.metavar or str(parameter.name)
