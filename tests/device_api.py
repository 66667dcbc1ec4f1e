"""The table of docs/device-api.md: what a user's device may override, and how each is called.

Who calls a method under which lock is not written down by hand: it is what was seen when the inputs
of `corpus` and every operation ran on the reference.
"""

from __future__ import annotations

import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from tests.checkout import CHECKOUT
from tests.conformance.inputs import every_operation
from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.device_state import DeviceState
from vblkfuzz.dataplane.lifecycle import Lifecycle
from vblkfuzz.dataplane.machine import Machine
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.thread import Thread
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.class_check import has_steps
from vblkfuzz.targets.model import model
from vblkfuzz.targets.python_twin import python_twin
from vblkfuzz.trace.event import ActorId, Frame
from vblkfuzz.virtio.split.device_queue import DeviceQueue

CLASSES: Final = (
    *(VirtioBlk, Lifecycle, DeviceState, BlockBackend),
    *(QueuePort, DeviceQueue, Operator, AioContext),
)
_THREADS: Final = {
    ActorId.VCPU: "vCPU",
    ActorId.MAIN: "main loop",
    ActorId.IO0: "IOThread",
    ActorId.IO1: "IOThread",
}
_ATTRIBUTES: Final = {
    "summary": "What is different about the device, in one line: `list devices`.",
    "source": "Where its code comes from: `list devices`.",
    "known": "Violations to be expected: the beginning of a signature, and the bug behind it.",
    "device_id": "Answer to GET_ID, at most 20 bytes (5.2.6); S23 compares it with what is read.",
    "block_backend": "Counts and parks requests; begins and ends drained sections.",
    "aio_context": "An event loop.",
    "operator": "Executes the commands of the operator.",
    "queue_port": "A queue as event loops see it: notifier and handlers.",
    "device_queue": "The device's end of a split ring.",
    "packed_queue": "The device's end of a packed ring; it has the methods of DeviceQueue.",
}
_ORDER: Final = ("vCPU", "main loop", "IOThread", "between turns")


class Seen:
    """Who has called what."""

    def __init__(self) -> None:
        self.threads: defaultdict[tuple[type, str], set[str]] = defaultdict(set)
        self.locked: set[tuple[str, bool]] = set()
        """Whether a thread, as `_THREADS` calls it, held the BQL when it was passed to a method."""
        self.machine: Machine | None = None
        self.thread: Thread | None = None

    def note(self, key: tuple[type, str], *, asks: bool) -> None:
        """A method is called now; one that is given no thread only asks, and needs no lock."""
        thread = self.thread
        name = _THREADS[ActorId(thread.actor)] if thread else "between turns"
        self.threads[key].add(name)
        if thread is not None and not asks and self.machine is not None:
            self.locked.add((name, self.machine.bql.owner is thread))


def public(owner: type) -> dict[str, Any]:
    """Return the public names of a class itself, as its source has them."""
    slots = getattr(python_twin(owner), "__slots__", ())
    return {
        name: value
        for name, value in vars(python_twin(owner)).items()
        if not name.startswith("_") and name not in slots
    }


def device_api() -> str:
    """Return the tables, a heading a class."""
    seen = watched()
    return "\n\n".join(_section(owner, seen) for owner in CLASSES)


def _section(owner: type, seen: Seen) -> str:
    lines = [f"### {owner.__name__}", ""]
    methods = {name: each for name, each in public(owner).items() if inspect.isfunction(each)}
    others = {name: each for name, each in public(owner).items() if name not in methods}
    lines += ["| method | kind | frame | called by | |", "|---|---|---|---|---|"]
    lines += [_row(owner, name, each, seen) for name, each in methods.items()]
    if others:
        lines += ["", "| attribute | kind | |", "|---|---|---|"]
        lines += [_attribute(name, each) for name, each in others.items()]
    return "\n".join(lines)


def _row(owner: type, name: str, function: Callable[..., Any], seen: Seen) -> str:
    inner = inspect.unwrap(function)
    arguments = ", ".join(_arguments(inner))
    key = owner, name
    by = ", ".join(one for one in _ORDER if one in seen.threads[key]) or "nothing of ours"
    by = "abstract" if getattr(function, "__isabstractmethod__", False) else by
    kind = "generator" if has_steps(function) else "plain"
    frame = f"`{_frame(function)}`" if inner is not function else ""
    return f"| `{name}({arguments})` | {kind} | {frame} | {by} | {_says(inner)} |"


def _arguments(function: Callable[..., Any]) -> Iterator[str]:
    star = False
    for one in list(inspect.signature(function).parameters.values())[1:]:
        if one.kind is one.KEYWORD_ONLY and not star:
            star = True
            yield "*"
        default = "" if one.default is one.empty else f"={one.default!r}"
        yield ("*" if one.kind is one.VAR_POSITIONAL else "") + one.name + default


def _attribute(name: str, value: object) -> str:
    if isinstance(value, property):
        return f"| `{name}` | property | {_says(value.fget)} |"
    kind = f"subclass of `{value.__name__}`" if isinstance(value, type) else type(value).__name__
    return f"| `{name}` | {kind} | {_ATTRIBUTES[name]} |"


def _says(function: object) -> str:
    """Return the first sentence of a docstring."""
    return (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _frame(function: Callable[..., Any]) -> str:
    closed = inspect.getclosurevars(function).nonlocals
    return Frame(closed["frame"]).name.lower()


# --- Watching ------------------------------------------------------------------------------------


@functools.cache
def watched() -> Seen:
    """Return who was seen calling what."""
    seen = Seen()
    with _watching(seen), model("reference", "inline") as target:
        for scenario in _scenarios():
            target.run(scenario)
    return seen


def _scenarios() -> Iterator[Scenario]:
    for iothreads in (0, 2):
        yield every_operation(DeviceConfig(queues=2, iothreads=iothreads, polling=True))
    for path in sorted((CHECKOUT / "corpus").rglob("*.toml")):
        yield read_input(str(path)).scenario


@contextmanager
def _watching(seen: Seen) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for owner in CLASSES:
            for name, value in public(owner).items():
                if inspect.isfunction(value):
                    patch.setattr(owner, name, _noting(seen, (owner, name), value))
        resume, make = Thread.resume, Machine.__init__

        def resumed(self: Thread, budget: int, turn: int = 0) -> int:
            seen.thread = self
            try:
                return resume(self, budget, turn)
            finally:
                seen.thread = None

        def made(self: Machine, *arguments: Any) -> None:  # noqa: ANN401 -- passed on
            seen.machine, seen.thread = None, None
            make(self, *arguments)
            seen.machine = self

        patch.setattr(Thread, "resume", resumed)
        patch.setattr(Machine, "__init__", made)
        yield


def _noting(seen: Seen, key: tuple[type, str], method: Callable[..., Any]) -> Callable[..., Any]:
    asks = "thread" not in inspect.signature(method).parameters

    def noting(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- passed on
        seen.note(key, asks=asks)
        return method(*arguments, **named)

    return functools.update_wrapper(noting, method)
