"""The op alphabet: what guest, operator, backend and environment may do.

One table, `OPS`, is the only place that knows an operation's code, actor and parameters. The
fuzz-bytes codec, the text form, the mutator, the guest driver and the machine are all driven by
it. An `Op` is a plain tuple so that the hot path can index it; people build one with `op(...)`:

    >>> op("publish_kick", queue=0, request="out", sector=3)
    publish_kick(queue=0, request=out, sector=3, sectors=1)

Codes are positions in `OPS` and part of every stored file: append only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from vblkfuzz.limits import MAX_DISK_SECTORS, MAX_IOTHREADS, MAX_QUEUES, MAX_REQUEST_SECTORS

Owner = Literal["guest", "operator", "backend", "environment"]

ARGS: Final = 5
"""Argument fields of an op record: three u8, then two u16."""
WIDE: Final = 3
"""First argument field that is 16 bits wide."""


@dataclass(frozen=True, slots=True)
class Number:
    """An integer parameter in ``low..high`` (both included)."""

    name: str
    field: int
    low: int
    high: int

    @property
    def count(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter with named values; its code is the position in `values`."""

    name: str
    field: int
    values: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.values)


Param = Number | Choice


@dataclass(frozen=True, slots=True)
class OpSpec:
    """One operation: its name, who does it, its parameters and what it means."""

    name: str
    owner: Owner
    params: tuple[Param, ...]
    summary: str


REQUESTS: Final = ("in", "out", "flush", "get_id", "discard", "write_zeroes", "unsupported")
"""Request types of a publish, by code."""

HOSTILE_CONTENTS: Final = (
    "loop",
    "head_out_of_range",
    "next_out_of_range",
    "address_out_of_range",
    "zero_length",
    "huge_length",
    "wrong_direction",
    "short_header",
    "no_status",
    "nested_indirect",
    "indirect_length",
    "avail_idx_jump",
)
"""Ring contents that break virtio 1.2, 2.7; see `driver.hostile`."""

PICKS: Final = ("0", "1", "2", "3", "newest", "all")
"""Which held requests a completion takes: the n-th oldest, the newest or all."""

RESULTS: Final = ("ok", "eio", "enospc")
"""How the backend ends a request, by code."""

_QUEUE = Number("queue", 0, 0, MAX_QUEUES - 1)
_IOTHREAD = Number("iothread", 0, 0, MAX_IOTHREADS - 1)
_REQUEST = (
    _QUEUE,
    Choice("request", 1, REQUESTS),
    Number("sector", 3, 0, MAX_DISK_SECTORS - 1),
    Number("sectors", 4, 1, MAX_REQUEST_SECTORS),
)

OPS: Final = (
    OpSpec(
        "init",
        "guest",
        (Choice("how", 0, ("ok", "no_driver_ok", "no_features")),),
        "Set the device up: features, queues, status; new rings, nothing outstanding.",
    ),
    OpSpec("publish", "guest", _REQUEST, "Make one request available in the ring, without a kick."),
    OpSpec("kick", "guest", (_QUEUE,), "Notify the device if it asks for it (2.7.10)."),
    OpSpec("publish_kick", "guest", _REQUEST, "Make one request available, then kick."),
    OpSpec("collect", "guest", (_QUEUE,), "Take all used entries and free their requests."),
    OpSpec("reset", "guest", (), "Write 0 to the device status; the rings are gone."),
    OpSpec("queue_reset", "guest", (_QUEUE,), "Reset one queue and set it up again (2.6.1)."),
    OpSpec(
        "set_used_event",
        "guest",
        (_QUEUE, Number("ahead", 1, 0, 15)),
        "Ask for a call only after `ahead` more used entries (EVENT_IDX).",
    ),
    OpSpec(
        "suppress_calls",
        "guest",
        (_QUEUE, Choice("on", 1, ("no", "yes"))),
        "Set or clear the no-interrupt flag of the avail ring.",
    ),
    OpSpec(
        "hostile",
        "guest",
        (_QUEUE, Choice("content", 1, HOSTILE_CONTENTS)),
        "Publish and kick ring contents that break the protocol.",
    ),
    OpSpec(
        "drain_begin",
        "operator",
        (Choice("wait", 0, ("poll", "nopoll")),),
        "Begin a drained section; `poll` waits for requests in flight.",
    ),
    OpSpec("drain_end", "operator", (), "End the innermost section begun by drain_begin."),
    OpSpec("mirror_begin", "operator", (), "A mirror job enters its long drained section."),
    OpSpec("mirror_finish", "operator", (), "The mirror job switches the graph and ends it."),
    OpSpec("stop", "operator", (), "Stop the VM: pause vCPUs, stop the device, drain, flush."),
    OpSpec("cont", "operator", (), "Continue the VM and restart what waits for it."),
    OpSpec("system_reset", "operator", (), "Reset the machine from the main loop."),
    OpSpec(
        "resize",
        "operator",
        (Number("sectors", 3, 1, MAX_DISK_SECTORS),),
        "Change the disk's capacity within a short drained section.",
    ),
    OpSpec("set_iothread", "operator", (_IOTHREAD,), "Choose the IOThread of the next start."),
    OpSpec("snapshot", "operator", (), "Switch the backing node within a point-like drain."),
    OpSpec("start_fail", "operator", (_QUEUE,), "Let the next start fail when it assigns `queue`."),
    OpSpec(
        "complete",
        "backend",
        (Choice("which", 0, PICKS), Choice("result", 1, RESULTS)),
        "End held requests, with a result.",
    ),
    OpSpec("hold", "backend", (), "From now on keep submitted requests in flight."),
    OpSpec("release", "backend", (), "Stop holding; end all held requests well."),
    OpSpec("flush", "backend", (), "End all held writes and flushes well; reads stay held."),
    OpSpec("poll_on", "environment", (_IOTHREAD,), "The IOThread starts to poll the rings."),
    OpSpec("poll_off", "environment", (_IOTHREAD,), "The IOThread goes back to notifiers."),
    OpSpec("inband_kick", "guest", (_QUEUE,), "Notify the device past the notifier, unasked."),
    OpSpec("read_config", "guest", (), "Read capacity and config generation (2.5)."),
    OpSpec(
        "power_loss",
        "operator",
        (),
        "The disk loses what was written and not flushed, and the machine is reset.",
    ),
)

OWNERS: Final = tuple(spec.owner for spec in OPS)
"""Owner of each operation, by code."""

CODES: Final = {spec.name: code for code, spec in enumerate(OPS)}


class Op(NamedTuple):
    """One operation: its code in `OPS` and its argument fields (0 where it has none)."""

    code: int
    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0

    @property
    def spec(self) -> OpSpec:
        """The row of the alphabet this op belongs to."""
        return OPS[self.code]

    @property
    def name(self) -> str:
        """The operation's name, as in the text form."""
        return OPS[self.code].name

    @property
    def args(self) -> dict[str, int | str]:
        """Arguments by name, choices by their text."""
        return {param.name: value_of(param, self[1 + param.field]) for param in self.spec.params}

    def __repr__(self) -> str:
        """Return the op as one writes it: ``kick(queue=0)``."""
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.args.items())})"


def value_of(param: Param, stored: int) -> int | str:
    """Return what a stored field means."""
    return param.values[stored] if isinstance(param, Choice) else stored + param.low


def stored_of(param: Param, value: object) -> int:
    """Return how a value is stored; ValueError says what was expected if it is out of range."""
    if isinstance(param, Choice):
        if value not in param.values:
            raise ValueError(f"expected one of {', '.join(param.values)}, found {value!r}")
        return param.values.index(str(value))
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"expected an integer, found {value!r}")
    if not param.low <= value <= param.high:
        raise ValueError(f"expected {param.low}..{param.high}, found {value}")
    return value - param.low


def op(name: str, **arguments: int | str) -> Op:
    """Build an operation by name; arguments left out take their lowest or first value.

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
