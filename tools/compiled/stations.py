"""Stations of causal paths, compiled: a method with its steps beside it, instead of a wrapper.

``@causal(Frame.RESET)`` wraps a method in a function that passes any arguments on, which mypyc
can only call as the interpreter does. Here the wrapper becomes the method itself, with the
parameters of the one that it wraps, and that one a second method. It does what
`dataplane.thread.causal` does.
"""

from __future__ import annotations

import ast
from typing import Final

from vblkfuzz.trace.event import PATH_MASK, Frame

IMPORTS: Final = """
from vblkfuzz.dataplane.thread import _PATH_FULL as __path_full__, _deeper as __deeper__
"""
_BODY: Final = """
__outer__ = {thread}.path
if __outer__ < __path_full__:
    {thread}.path = __outer__ << 8 | {frame}
    yield from {steps}
else:
    {thread}.path = (__outer__ << 8 | {frame}) & {mask}
    yield from __deeper__({thread}, {steps})
{thread}.path = __outer__
"""


def split_stations(tree: ast.Module) -> bool:
    """Split the stations of all classes of a module; return whether there are any."""
    found = False
    for owner in tree.body:
        if isinstance(owner, ast.ClassDef):
            body: list[ast.stmt] = []
            for node in owner.body:
                frame = _frame_of(node)
                if frame is None:
                    body.append(node)
                else:
                    assert isinstance(node, ast.FunctionDef)
                    body += _station(node, frame, f"_steps_of_{owner.name}_{node.name}")
                    found = True
            owner.body = body
    return found


def _frame_of(node: ast.stmt) -> Frame | None:
    """Return the frame of a station; None if a statement defines none."""
    if not isinstance(node, ast.FunctionDef) or len(node.decorator_list) != 1:
        return None
    mark = node.decorator_list[0]
    if not isinstance(mark, ast.Call) or ast.unparse(mark.func) != "causal":
        return None
    return Frame[ast.unparse(mark.args[0]).removeprefix("Frame.")]


def _station(node: ast.FunctionDef, frame: Frame, steps: str) -> list[ast.stmt]:
    """Return the station and the method that has its steps."""
    given = node.args
    own, thread, *others = (one.arg for one in given.args)
    passed = [thread, *others]
    passed += [f"*{given.vararg.arg}"] if given.vararg else []
    passed += [f"{one.arg}={one.arg}" for one in given.kwonlyargs]
    call = f"{own}.{steps}({', '.join(passed)})"
    body = _BODY.format(thread=thread, frame=int(frame), mask=PATH_MASK, steps=call)
    written = ast.parse(body).body
    text = node.body[:1] if ast.get_docstring(node) else []
    station = ast.FunctionDef(node.name, given, text + written, [], node.returns)
    for part in written:
        for one in ast.walk(part):
            ast.copy_location(one, node)
    node.name = steps
    node.decorator_list = []
    return [ast.copy_location(station, node), node]
