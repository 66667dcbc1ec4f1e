"""What can go wrong between a vhost-user front-end and its back-end.

All are harness errors as long as nobody knows better. Those that mean that the back-end does not
answer are connection errors too: for these the guest process says `lost`, and the target decides
by rule whether it is a finding (`target.real`).
"""

from __future__ import annotations

from vblkfuzz.errors import HarnessError


class BackendFault(HarnessError):
    """The back-end did not do what the protocol demands."""


class BackendGone(BackendFault, ConnectionError):
    """The back-end closed the connection."""


class BackendSilent(BackendFault, ConnectionError):
    """The back-end gave no answer within the time limit."""


class MalformedReply(BackendFault):
    """The back-end's answer is not one to what was asked."""


class Refused(BackendFault):
    """The back-end answered that it could not do it (REPLY_ACK with a value other than 0)."""


class FeatureMissing(BackendFault):
    """The back-end does not offer what this front-end cannot do without."""
