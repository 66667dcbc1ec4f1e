"""The device of a scenario: one row per field, and nothing about a field anywhere else.

A row is an annotation, a default and a docstring. The checks below, the header bytes
(`scenario.device_header`), the text forms (`scenario.document`), the mutator's changes
(`mutation.configure`), the minimizer's order (`minimize.weight`) and the test strategy are all
derived from the rows.

A new field is added at the end, so that positional arguments keep their meaning. Its `Row.byte` can
be any header byte but `device_header.DEVIATIONS`. The field multiplies the number of codes of that
byte, which must not exceed 256. If the byte has other fields, the first value must be the default:
it is what the field has in every input written before. A default never changes, because files leave
out fields that have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, get_type_hints

from vblkfuzz import limits

Value = bool | int | str
Rerror = Literal["report", "ignore", "stop"]
RERRORS: tuple[Rerror, ...] = ("report", "ignore", "stop")
Kind = Literal["blk", "scsi"]
KINDS: tuple[Kind, ...] = ("blk", "scsi")
Werror = Literal["report", "ignore", "stop", "enospc"]
WERRORS: tuple[Werror, ...] = (*RERRORS, "enospc")
Ring = Literal["split", "packed"]
RINGS: tuple[Ring, ...] = ("split", "packed")


@dataclass(frozen=True, slots=True)
class Row:
    """The properties of a field other than its type, its default and its meaning."""

    values: Sequence[Value]
    """All values, in the order of their numbers in the header byte."""
    byte: int
    """Index of the header byte that holds the field. The fields of a byte are its digits, lowest
    first."""
    new: Mapping[Value, int] = field(default_factory=dict)
    """Weight of each value in a new story. Empty: always the first value."""
    changed: int = 1
    """Weight of the field among all fields when the mutator changes one. 0: it does so on request
    only (`mutation.mutate.Mutator`), and then it keeps what it finds; so do baseline searches."""
    tested: bool = False
    """Whether the field says which device is tested: the minimizer leaves it alone, since the same
    bug on another device is another finding."""
    scale: bool = False
    """Whether values have a distance to each other. If so, the minimizer also tries values between
    the present one and the default; otherwise only the default."""
    like: str = ""
    """An older field of the same byte that used to stand for both. In a file without this field, it
    has the value of the older one, if it can take it. Codes in which both fields are equal come
    first, and the mutator changes both together. If the field lacks a value of the older one, the
    codes of that value change; only `rerror` may lack one, since it is as old as `enospc`."""


FLAG: Final = (False, True)


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """The device that a scenario runs on."""

    queues: Annotated[
        int, Row(range(1, limits.MAX_QUEUES + 1), byte=0, new={1: 4, 2: 1}, scale=True)
    ] = 1
    """Virtqueues that take requests."""
    queue_size: Annotated[
        int, Row(limits.QUEUE_SIZES, byte=1, new={4: 4, 8: 1, 16: 1}, scale=True)
    ] = 8
    """Entries of each ring. A read or a write takes three, or one with `indirect`; without room it
    does not take place. The odds of both fields leave room for several."""
    event_idx: Annotated[bool, Row(FLAG, byte=2, new={True: 1, False: 1})] = True
    """The device offers VIRTIO_F_EVENT_IDX."""
    indirect: Annotated[bool, Row(FLAG, byte=2, new={True: 3, False: 2})] = False
    """The driver uses indirect descriptors."""
    ioeventfd: Annotated[bool, Row((True, False), byte=2, new={False: 3, True: 7})] = True
    """A kick signals an eventfd. If false, it is a VM exit and the vCPU thread runs the handler."""
    iothreads: Annotated[
        int,
        Row(range(limits.MAX_IOTHREADS + 1), byte=3, new={0: 1, 1: 3, 2: 1}, changed=2, scale=True),
    ] = 1
    """Number of IOThreads; with 0 the dataplane runs in the main loop."""
    polling: Annotated[bool, Row(FLAG, byte=2, new={True: 1, False: 4})] = False
    """IOThreads start in poll mode."""
    werror: Annotated[
        Werror, Row(WERRORS, byte=4, new={"report": 3, "ignore": 1, "stop": 2, "enospc": 1})
    ] = "report"
    """Reaction of the device to a failed write, flush or discard. `enospc`: stop the VM if the disk
    is full, report any other error."""
    disk_sectors: Annotated[int, Row(limits.DISK_SECTORS, byte=5, scale=True)] = 64
    """Capacity of the disk (sectors)."""
    rerror: Annotated[
        Rerror,
        Row(RERRORS, byte=4, new={"report": 3, "ignore": 1, "stop": 1}, like="werror"),
    ] = "report"
    """Reaction of the device to a failed read."""
    first_index: Annotated[
        int, Row(limits.FIRST_INDICES, byte=7, new={0: 5, 0xFFFF: 1, 0xFFF8: 1, 0x7FFF: 1})
    ] = 0
    """Initial ring index of driver and device at each set-up, as after a migration."""
    read_only: Annotated[bool, Row(FLAG, byte=2, new={False: 19, True: 1})] = False
    """The device offers F_RO: a write ends with IOERR (5.2.6.2)."""
    fixed_iothread: Annotated[bool, Row((True, False), byte=2, new={True: 5, False: 1})] = True
    """The device stays in its IOThread. If false, it may leave it for the main loop when a job on
    its disk ends, or at a resize (target `qsd` only: `fixed-iothread` of an export)."""
    ring: Annotated[Ring, Row(RINGS, byte=7, changed=0)] = "split"
    """Form of the rings: split (virtio 1.2, 2.7), or packed (2.8), for which the device offers
    VIRTIO_F_RING_PACKED. A storage daemon does not (target `qsd`), and any back-end of `vhost-user`
    may not: then the rings are split."""

    kind: Annotated[Kind, Row(KINDS, byte=7, changed=0, tested=True)] = "blk"
    """virtio-blk, or virtio-scsi (target `qemu` only; any other runs virtio-blk). A request is then
    a SCSI command that does the same."""

    units: Annotated[int, Row(range(1, limits.MAX_UNITS + 1), byte=0, changed=0, scale=True)] = 1
    """Logical units of virtio-scsi, each with a disk of its own. A request is for one of them
    (`unit_of`), and a drained section drains one. virtio-blk has a single disk."""

    in_order: Annotated[bool, Row(FLAG, byte=5, changed=0)] = False
    """The device offers VIRTIO_F_IN_ORDER: it returns requests in the order in which they were made
    available (virtio 1.2, 2.7.9 and 2.8.9). Of real devices QEMU does, from 10.0 on."""

    def __post_init__(self) -> None:
        """Check that every field has one of its values.

        Raises:
            ValueError: a field has another value; the message names the allowed ones.
        """
        for name, row in FIELDS.items():
            value = getattr(self, name)
            if value not in row.values:
                raise ValueError(f"{name}: expected {_expected(row.values)}, found {value}")

    def unit_of(self, sector: int) -> int:
        """Return the unit that a request is for: they take turns by its first sector."""
        return sector % self.units if self.kind == "scsi" else 0

    def differing(self) -> dict[str, Value]:
        """Return the fields that differ from their default, in the order of the rows."""
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
"""The row of each field, in order."""

DEFAULTS: Final[dict[str, Value]] = {name: getattr(DeviceConfig(), name) for name in FIELDS}


def left_out(name: str, named: Mapping[str, Value]) -> Value:
    """Return the value of a field that a file leaves out, given the fields that it names."""
    row = FIELDS[name]
    alike = named.get(row.like)
    return alike if alike is not None and alike in row.values else DEFAULTS[name]
