"""A device process that lives on, but breaks the protocol of its connection: it ends the scenario.

Source: "Vhost-user Protocol": each answer has the request, version, flags and size of its message,
and the back-end answers on a connection until the front-end closes it. The guest sees both itself,
so no other witness is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.errors import ProtocolViolated
from vblkfuzz.targets.device_end import Ending
from vblkfuzz.targets.last_words import farewell
from vblkfuzz.trace.fault import CLOSES, VIOLATES, Fault
from vblkfuzz.trace.kinds import CRASH

if TYPE_CHECKING:
    from vblkfuzz.errors import DeviceLost


def violation_in(lost: DeviceLost) -> Ending | None:
    """Return the end by an answer that the protocol does not allow; None: `lost` is another one.

    The name does not depend on the numbers that were found.
    """
    if not isinstance(lost, ProtocolViolated):
        return None
    place = farewell(str(lost))
    return _ending(Fault(CRASH, VIOLATES, place.message, "", "", 0, place.text), str(lost))


def closing(words: str) -> Ending:
    """Return the end by a connection that is closed instead of an answer.

    Args:
        words: the end of the standard error of the process.
    """
    return _ending(Fault(CRASH, CLOSES, "", "", "", 0), words)


def _ending(fault: Fault, report: str) -> Ending:
    return Ending(CRASH, report, fault, path=fault.digest)
