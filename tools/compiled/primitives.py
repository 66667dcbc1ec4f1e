"""Operations for which the compiled build has C code of its own (``primitives.h``).

mypyc has a table of such primitives, by name and types of the arguments, and looks there first.
Things that it leaves to the interpreter are needed some thousand times an execution:

* an item of a `memoryview` by its number: registers, rings and notifiers are such items;
* a probe. It is a call of `mark` in the source that is compiled (`source`);
* an instance of a NamedTuple, events above all. It is a call of `row` there, or of `become` if its
  fields are written there (`rows`);
* the object of a number from 0 to 256, which Python has only one of.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

MODULE: Final = "vblkfuzz_primitives"
"""Where the type checker of mypyc finds `mark`, `use`, `row` and `become`; nothing imports it."""
STUB: Final = """
from typing import TypeVar
_T = TypeVar("_T")
def row(kind: type[_T], fields: tuple[object, ...]) -> _T: ...
def become(kind: type[_T], fields: tuple[object, ...]) -> _T: ...
def mark(probe: int) -> None: ...
def use(region: object) -> None: ...
"""
_HEADERS: Final = re.compile(r'^#include "__native_internal.*"\n', re.MULTILINE)


def register() -> None:
    """Add our primitives to those of mypyc, in this process."""
    from mypyc.ir.ops import ERR_MAGIC, ERR_NEVER
    from mypyc.ir.rtypes import RType, c_int_rprimitive, int_rprimitive, object_rprimitive
    from mypyc.primitives import generic_ops  # noqa: F401  # fills the tables
    from mypyc.primitives.registry import ERR_NEG_INT, function_op, method_op

    function_op(f"{MODULE}.mark", [int_rprimitive], c_int_rprimitive, "vblkfuzz_mark", ERR_NEVER)
    function_op(f"{MODULE}.use", [object_rprimitive], c_int_rprimitive, "vblkfuzz_use", ERR_NEG_INT)
    pair: list[RType] = [object_rprimitive, object_rprimitive]
    function_op(f"{MODULE}.row", pair, object_rprimitive, "vblkfuzz_row", ERR_MAGIC)
    function_op(f"{MODULE}.become", pair, object_rprimitive, "vblkfuzz_become", ERR_MAGIC)
    for name in ("__getitem__", "__setitem__"):
        _put_last(name)
    item: list[RType] = [object_rprimitive, int_rprimitive]
    method_op("__getitem__", item, object_rprimitive, "vblkfuzz_get", ERR_MAGIC, priority=0)
    item = [*item, int_rprimitive]
    method_op("__setitem__", item, c_int_rprimitive, "vblkfuzz_set", ERR_NEG_INT, priority=0)


def _put_last(name: str) -> None:
    """Take the operation for objects of any type after ours, which is for some of these."""
    from mypyc.primitives.registry import method_call_ops, method_op

    (general,) = (one for one in method_call_ops[name] if one.priority == 0)
    method_call_ops[name].remove(general)
    function, error = general.c_function_name, general.error_kind
    assert function is not None
    method_op(name, general.arg_types, general.return_type, function, error, priority=-1)


def with_primitives(code: str) -> str:
    """Return C code of a module that mypyc has made, together with ours.

    Raises:
        ValueError: this mypyc includes other headers.
    """
    ours = Path(__file__).with_suffix(".h").read_text()
    found = _HEADERS.search(code)
    if found is None:
        raise ValueError("expected C code of mypyc that includes __native_internal, found none")
    return code[: found.end()] + ours + code[found.end() :]
