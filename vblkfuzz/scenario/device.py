"""The device of a scenario: a row a field, and nothing about a field anywhere else.

A row is an annotation, a default and a docstring. From the rows come the checks below, the header
bytes (`scenario.device_header`), the text forms (`scenario.document`), what the mutator does
(`mutation.configure`), what the minimizer calls plain (`minimize.weight`), and the test strategy.

A new field goes behind all others: positional arguments keep their meaning. Its `Row.byte` is any
header byte of a device; it multiplies the number of codes of that byte, of which there is room for
256. Its first value must be its default, which is what it then has in every input written before.
A default never changes: files leave out what has its default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, get_type_hints

from vblkfuzz import limits

Value = bool | int | str
Rerror = Literal["report", "ignore", "stop"]
RERRORS: tuple[Rerror, ...] = ("report", "ignore", "stop")
Werror = Literal["report", "ignore", "stop", "enospc"]
WERRORS: tuple[Werror, ...] = (*RERRORS, "enospc")


@dataclass(frozen=True, slots=True)
class Row:
    """What is to be known of a field beside its type, its default and its meaning."""

    values: Sequence[Value]
    """All values, in the order in which the header byte numbers them."""
    byte: int
    """The header byte that holds it. Fields of one byte are its digits, the lowest comes first."""
    new: Mapping[Value, int] = field(default_factory=dict)
    """How often a new story takes a value, in parts. Empty: always the first value."""
    changed: int = 1
    """How often the mutator changes it, in parts of all fields together; at least 1."""
    scale: bool = False
    """Whether its values are near to each other or far: the minimizer goes towards the default in
    steps. Of other fields only the default is plain."""
    like: str = ""
    """The field in the same byte that once stood for both. A file without this one means the value
    of that one, where this one can take it; codes in which both are alike come first; and the
    mutator changes both together. If it cannot take all values of that one, the codes of the others
    move: only `rerror` may, which is as old as `enospc`."""


FLAG: Final = (False, True)


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """The virtio-blk device a scenario runs on."""

    queues: Annotated[
        int, Row(range(1, limits.MAX_QUEUES + 1), byte=0, new={1: 4, 2: 1}, scale=True)
    ] = 1
    """Virtqueues that take requests."""
    queue_size: Annotated[int, Row(limits.QUEUE_SIZES, byte=1, scale=True)] = 8
    """Entries of each ring."""
    event_idx: Annotated[bool, Row(FLAG, byte=2, new={True: 1, False: 1})] = True
    """VIRTIO_F_EVENT_IDX is offered."""
    indirect: Annotated[bool, Row(FLAG, byte=2, new={True: 3, False: 17})] = False
    """The driver uses indirect descriptors."""
    ioeventfd: Annotated[bool, Row((True, False), byte=2, new={False: 3, True: 7})] = True
    """A kick signals an eventfd; otherwise the vCPU runs the handler itself."""
    iothreads: Annotated[
        int,
        Row(range(limits.MAX_IOTHREADS + 1), byte=3, new={0: 1, 1: 3, 2: 1}, changed=2, scale=True),
    ] = 1
    """0: the dataplane runs in the main loop."""
    polling: Annotated[bool, Row(FLAG, byte=2, new={True: 1, False: 4})] = False
    """IOThreads start in poll mode."""
    werror: Annotated[Werror, Row(WERRORS, byte=4)] = "report"
    """What the device does with a failed write, flush or discard; `enospc`: it stops the VM if the
    disk is full and reports the rest."""
    disk_sectors: Annotated[int, Row(limits.DISK_SECTORS, byte=5, scale=True)] = 64
    """Capacity of the disk (sectors)."""
    rerror: Annotated[Rerror, Row(RERRORS, byte=4, like="werror")] = "report"
    """What it does with a failed read."""
    first_index: Annotated[int, Row(limits.FIRST_INDICES, byte=7)] = 0
    """Ring indices of both sides at each set-up, as if a migration had restored them."""

    def __post_init__(self) -> None:
        """Check every field against its values.

        Raises:
            ValueError: a field has none of its values; the message says which it can take.
        """
        for name, row in FIELDS.items():
            value = getattr(self, name)
            if value not in row.values:
                raise ValueError(f"{name}: expected {_expected(row.values)}, found {value}")

    def differing(self) -> dict[str, Value]:
        """Return the fields that do not have their default, in the order of the rows."""
        return {
            name: value
            for name, default in DEFAULTS.items()
            if (value := getattr(self, name)) != default
        }


def _expected(values: Sequence[Value]) -> str:
    if isinstance(values, range):
        return f"{values[0]}..{values[-1]}"
    return f"one of {', '.join(map(str, values))}"


FIELDS: Final[dict[str, Row]] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(DeviceConfig, include_extras=True).items()
}
"""The row of each field, in their order."""

DEFAULTS: Final[dict[str, Value]] = {name: getattr(DeviceConfig(), name) for name in FIELDS}


def left_out(name: str, said: Mapping[str, Value]) -> Value:
    """Return the value of a field that a file does not name, beside those that it does."""
    row = FIELDS[name]
    alike = said.get(row.like)
    return alike if alike is not None and alike in row.values else DEFAULTS[name]
