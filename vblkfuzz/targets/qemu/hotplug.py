"""Unplug and plug of the device: `device_del`, the guest's ejection, `device_add`.

`device_del` only asks the guest. A guest that lets the device go writes to the eject register of
its slot (QEMU docs/specs/acpi_pci_hotplug; `bus`). The vCPU halts here, so the monitor writes
the register, which calls the same function (acpi_pcihp_eject_slot) in the main loop. From the event
DEVICE_DELETED on the slot is free.

While a device is plugged in without a geometry, QEMU reads the first sector to guess one
(hd_geometry_guess).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.limits import MAX_QUEUE_SIZE, MAX_QUEUES
from vblkfuzz.targets.iothread_polling import IOTHREAD, iothread_id
from vblkfuzz.targets.qemu.bus import DEVICE_ID, ejection, place_of, virtio_path
from vblkfuzz.targets.qemu.qtest_port import SERIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.qemu.variant import Variant
    from vblkfuzz.targets.qmp import Qmp

_GEOMETRY: Final = {"cyls": 1, "heads": 1, "secs": 1}
"""Any geometry; no driver of vblkfuzz reads it."""


def disk_path(variant: Variant) -> str:
    """Return the QOM path of the device that uses the disk, or the first one."""
    return f"/machine/peripheral/{_unit(0)}" if variant.kind == "scsi" else virtio_path(variant)


def _unit(number: int) -> str:
    """Return the id of a disk behind virtio-scsi."""
    return f"u{number}"


def properties(variant: Variant, nodes: Sequence[str]) -> list[dict[str, object]]:
    """Return the properties of the device, on these nodes.

    Those of virtio-scsi are those of its controller, then of each unit, which has a node.
    """
    place, thread = place_of(variant), _threads(variant)
    if variant.packed:
        thread["packed"] = True
    if variant.in_order:
        thread["in_order"] = True
    policy: dict[str, object] = {}
    if variant.nbd:
        # With a geometry QEMU does not read the disk for one: that read could be held.
        policy = {"werror": variant.nbd.werror, "rerror": variant.nbd.rerror, **_GEOMETRY}
    disk = {"drive": nodes[0], "serial": SERIAL}
    if variant.kind == "scsi":
        sizes = {"num_queues": MAX_QUEUES, "virtqueue_size": MAX_QUEUE_SIZE}
        controller = {**place, "id": DEVICE_ID, **sizes, **thread}
        units = [
            {"driver": "scsi-hd", "id": _unit(number), "bus": f"{DEVICE_ID}.0", "lun": number}
            | {**disk, "drive": node, **policy}
            for number, node in enumerate(nodes)
        ]
        return [controller, *units]
    sizes = {"num-queues": MAX_QUEUES, "queue-size": MAX_QUEUE_SIZE}
    if variant.chardev:
        back = {"driver": "vhost-user-blk-pci", "id": DEVICE_ID, "chardev": variant.chardev}
        return [{**place, **back, **sizes, **thread}]
    return [{**place, "id": DEVICE_ID, **disk, **sizes, **thread, **policy}]


def _threads(variant: Variant) -> dict[str, object]:
    """Return the properties that say which thread handles which queue: IOThreads take turns.

    On virtio-mmio the bus says whether there are ioeventfds.
    """
    found: dict[str, object] = {}
    if variant.iothreads > 1:
        threads = [{"iothread": iothread_id(index)} for index in range(variant.iothreads)]
        found["iothread-vq-mapping"] = threads
    elif variant.iothreads:
        found["iothread"] = IOTHREAD
    if not (variant.ioeventfd or variant.bus == "mmio"):
        found["ioeventfd"] = False
    return found


def argument(variant: Variant, nodes: Sequence[str]) -> str:
    """Return the properties as options of the command line.

    A list is possible in JSON only. QEMU makes the devices in JSON last, so all are or none is.
    """
    devices = properties(variant, nodes)
    lists = any(isinstance(value, list) for one in devices for value in one.values())
    return " ".join(f"-device {_json(one) if lists else _words(one)}" for one in devices)


def _json(found: dict[str, object]) -> str:
    return json.dumps(found, separators=(",", ":"))


def _words(found: dict[str, object]) -> str:
    words = {True: "on", False: "off"}
    driver = found.pop("driver")
    rest = (
        f"{name}={words[value] if isinstance(value, bool) else value}"
        for name, value in found.items()
    )
    return f"{driver}," + ",".join(rest)


async def eject(qmp: Qmp, variant: Variant) -> None:
    """Unplug the device, which is `gone` soon; for an operator's work (`qmp`).

    Raises:
        HarnessError: the monitor does not know the command.
    """
    await qmp.call("device_del", id=DEVICE_ID)
    for command in ejection(variant):
        answer = await qmp.call("human-monitor-command", command_line=command)
        if answer.startswith("unknown command"):  # what the device reports comes here, too
            raise HarnessError(f"monitor command {command}: {answer}")


async def gone(qmp: Qmp) -> None:
    """Wait until the ejected device is gone: another thread frees it (call_rcu_thread)."""
    await qmp.event(_is_deleted)


def _is_deleted(event: dict[str, Any]) -> bool:
    return bool(event["event"] == "DEVICE_DELETED" and event["data"].get("device") == DEVICE_ID)


async def plug(qmp: Qmp, variant: Variant, nodes: Sequence[str], *, geometry: bool) -> bool:
    """Plug in a new device on its nodes; return whether all of it is there.

    What is there already is refused, so this may be repeated.

    QEMU 7.2 refuses a device with an IOThread on a node that a job uses.

    Args:
        qmp: of QEMU.
        variant: of the device.
        nodes: names of the nodes.
        geometry: say the disk's geometry, so that QEMU does not read the disk.
    """
    found = properties(variant, nodes)
    disks = found[-len(nodes) :]
    for controller in found[: -len(nodes)]:
        await qmp.attempt("device_add", controller)
    more = _GEOMETRY if geometry else {}
    refused = [disk for disk in disks if not await qmp.attempt("device_add", disk | more)]
    if not refused or len(disks) == 1:
        return not refused
    there = {one["name"] for one in await qmp.call("qom-list", path="/machine/peripheral")}
    return all(disk["id"] in there for disk in refused)
