"""A trace for people: one line an event, in fixed columns.

`rows` turns events into words; `render` sets them as plain text that is the same on any machine,
so that it can be stored and compared. What a kind's number means is said here, in one table a
field, after `trace.event.EventKind`; what rooms beside this one know (names of operations,
contents, request types) comes in as `FlagNames`. Legend for readers: docs/trace-legend.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.trace.event import NO_QUEUE, ActorId, Event, EventKind, path_names
from vblkfuzz.virtio.ring_error import RING_ERRORS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

FlagNames = dict[EventKind, tuple[str, ...]]
"""Names of a kind's flag, by its value; an empty name is not shown."""

NO_NAMES: Final[Mapping[EventKind, Sequence[str]]] = MappingProxyType({})


class Row(NamedTuple):
    """One event in words; what its kind does not carry is empty."""

    turn: str
    actor: str
    event: str
    queue: str
    request: str
    value: str
    path: str


LEGEND: Final = "r3: 3rd request popped; h2: its head; e1: after one reset; >: the clash"
"""What the columns do not say themselves. The kinds: docs/trace-legend.md."""

_FLAGS: Final[FlagNames] = {
    EventKind.PUBLISH: ("", "hostile"),
    EventKind.KICK: ("suppressed", "sent"),
    EventKind.COLLECT: ("", "foreign", "ioerr", "unsupp", "no status"),
    EventKind.DRIVER_INIT: ("begin", "driver_ok", "no_driver_ok"),
    EventKind.SUPPRESS_CALLS: ("off", "on"),
    EventKind.RESET_CALL: ("guest", "system"),
    EventKind.START_RET: ("running", "failed"),
    EventKind.SECTOR: ("", "mixed"),
    EventKind.NOTIFICATION: ("off", "on"),
    EventKind.HANDLER: ("", "direct"),
    EventKind.HANDLER_END: ("kicks off", "kicks on"),
    EventKind.IO_DONE: ("ok", "eio", "enospc"),
    EventKind.PUSH: ("", "ioerr", "unsupp"),
    EventKind.IRQ: ("", "by virtio_notify"),
    EventKind.DRAIN_CALL: ("nopoll", "poll"),
    EventKind.DRAIN_RET: ("nopoll", "poll"),
    EventKind.DRAINED_BEGIN: ("nopoll", "poll"),
    EventKind.HANG: ("operator", "guest"),
}

_VALUES: Final[dict[EventKind, str]] = {
    EventKind.OP: "#{}",
    EventKind.END: "{} in flight",
    EventKind.STORES_DELAYED: "{} bytes",
    EventKind.PUBLISH: "avail {}",
    EventKind.KICK: "avail {}",
    EventKind.COLLECT: "used {}",
    EventKind.DRIVER_INIT: "from {}",
    EventKind.SECTOR: "data {}",
    EventKind.CONFIG_READ: "{} sectors",
    EventKind.USED_EVENT: "used {}",
    EventKind.STATUS: "{:#04x}",
    EventKind.POP: "avail {}",
    EventKind.PUSH: "used {}",
    EventKind.DRAIN_CALL: "counter {}",
    EventKind.DRAIN_RET: "{} in flight",
    EventKind.DRAIN_END: "counter {}",
    EventKind.DRAINED_BEGIN: "counter {}",
    EventKind.DRAINED_END: "counter {}",
    EventKind.RESIZE: "{} sectors",
    EventKind.CRASH: "exit {}",
    EventKind.PLANTED: "{}",
}

_HEADS: Final = frozenset(
    {
        EventKind.REQUEST,
        EventKind.PUBLISH,
        EventKind.COLLECT,
        EventKind.POP,
        EventKind.PUSH,
    }
)
"""Kinds whose head is a descriptor, so that head 0 is shown too."""

_OTHER_HEADS: Final = {EventKind.SECTOR: "sector {}", EventKind.CONFIG_READ: "generation {}"}
"""What the head of other kinds is."""


def rows(events: Iterable[Event], names: Mapping[EventKind, Sequence[str]] = NO_NAMES) -> list[Row]:
    """Return events in words; `names` adds to the names of flags that this room knows."""
    known = {**_FLAGS, **names}
    return [_row(event, known) for event in events]


def render(
    events: Sequence[Event],
    names: Mapping[EventKind, Sequence[str]] = NO_NAMES,
    marked: Container[Event] = (),
    width: int = 0,
) -> str:
    """Return events as plain text: a header, a line an event, the legend.

    Args:
        events: in the order of the trace.
        names: see `rows`.
        marked: the events that a violation is about; their lines begin with ``>``.
        width: characters a line may have before its path moves to a line below; 0: any number.
    """
    table = [Row(*Row._fields), *rows(events, names)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    marks = [" ", *(">" if event in marked else " " for event in events)]
    lines = [_line(mark, row, widths, width) for mark, row in zip(marks, table, strict=True)]
    return "\n".join((*lines, "", f"{LEGEND}\n"))


def _line(mark: str, row: Row, widths: list[int], width: int) -> str:
    turn, *others = (text.ljust(column) for text, column in zip(row, widths, strict=True))
    start = f"{mark} {turn.strip().rjust(widths[0])} "
    line = (start + "  ".join(others)).rstrip()
    if not width or len(line) <= width:
        return line
    return f"{(start + '  '.join(others[:-1])).rstrip()}\n{' ' * len(start)}in {row.path}"


def _row(event: Event, names: Mapping[EventKind, Sequence[str]]) -> Row:
    return Row(
        str(event.turn),
        _actor(event.actor),
        _event(event, names),
        "" if event.queue == NO_QUEUE else str(event.queue),
        _request(event),
        _value(event),
        _path(event.path),
    )


def _event(event: Event, names: Mapping[EventKind, Sequence[str]]) -> str:
    try:
        kind = EventKind(event.kind)
    except ValueError:  # written by a newer version, or by a device of someone else
        return f"kind {event.kind}"
    known = names.get(kind, ())
    flag = known[event.flag] if event.flag < len(known) else f"flag {event.flag}"
    if kind == EventKind.OP and event.head:
        flag = f"{flag}, epilogue"
    said = flag if known or event.flag else ""
    return f"{kind.name.lower()} {said}".rstrip()


def _request(event: Event) -> str:
    form = _OTHER_HEADS.get(event.kind)  # type: ignore[call-overload]  # an IntEnum equals its int
    if form:
        return str(form.format(event.head))
    return " ".join(
        text
        for text, shown in (
            (f"r{event.request}", event.request),
            (f"h{event.head}", event.kind in _HEADS),
            (f"e{event.epoch}", event.epoch),
        )
        if shown
    )


def _value(event: Event) -> str:
    if event.kind in (EventKind.ATTACH, EventKind.DETACH):
        return _actor(event.value)
    if event.kind == EventKind.REQUEST:
        sector, more = event.value & 0xFF, event.value >> 8
        return f"sector {sector}..{sector + more}" if more else f"sector {sector}"
    if event.kind == EventKind.BROKEN and event.value in RING_ERRORS:
        return RING_ERRORS[event.value].__name__
    form = _VALUES.get(event.kind)  # type: ignore[call-overload]  # an IntEnum equals its int
    return str(form.format(event.value)) if form else str(event.value or "")


def _actor(code: int) -> str:
    try:
        return ActorId(code).name.lower()
    except ValueError:
        return f"actor {code}"


def _path(path: int) -> str:
    try:
        return path_names(path)
    except ValueError:  # a device outside this project may use frames of its own
        return f"{path:#x}"
