"""A witness proves itself before it is believed.

Each new device process gets one plain write and one plain read of the same sector. The guest sees
their answers; so the witnesses of the target must have seen their dequeues and their used entries.
A log in a new format, say, would otherwise show no dequeue at all, and every request would look
like a violation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.kinds import COLLECT, POP, PUSH
from vblkfuzz.trace.probe import without_probe

if TYPE_CHECKING:
    from vblkfuzz.trace.trace import Trace

_OPS: Final = (
    op("init"),
    op("publish_kick", request="out", sector=1),
    op("collect"),
    op("publish_kick", request="in", sector=1),
    op("collect"),
)
_REQUESTS: Final = 2


def proof_for(scenario: Scenario) -> Scenario:
    """Return the scenario of the proof, for the device process that runs `scenario`.

    That process may have another disk if the backend has a part in the scenario: then the backend's
    operations follow the proof.
    """
    config = scenario.device
    plain = replace(
        DeviceConfig(),
        iothreads=config.iothreads,
        ioeventfd=config.ioeventfd,
        polling=config.polling,
        disk_sectors=config.disk_sectors,
        werror=config.werror,
        rerror=config.rerror,
        kind=config.kind,
        units=config.units,
        ring=config.ring,
    )
    backend = [one for one in dict.fromkeys(scenario.ops) if one.spec.owner == "backend"]
    return Scenario(plain, (*_OPS, *backend))


def check_proof(trace: Trace, target: str, witness: str) -> None:
    """Check the trace of a `proof_for` a device.

    Args:
        trace: it.
        target: name of the target.
        witness: what the target knows of its witness of dequeues, for people.

    Raises:
        DeviceUnavailable: the guest has its answers, but a witness has missed something. A guest
            without answers, or with other data than it wrote, has a faulty device: that is for the
            rules to say.
    """
    kinds = [event.kind for event in without_probe(trace.events)]
    if kinds.count(COLLECT) != _REQUESTS:
        return
    seen = (
        (POP, "dequeues", witness),
        (PUSH, "used entries", "they are read in guest memory"),
    )
    for kind, what, how in seen:
        if kinds.count(kind) != _REQUESTS:
            raise DeviceUnavailable(
                f"target {target}: of {_REQUESTS} requests that the guest has collected, expected "
                f"{_REQUESTS} {what}, observed {kinds.count(kind)}: {how}"
            )
