"""What can go wrong between a vhost-user front-end and its back-end.

All are harness errors as long as nobody knows better: whoever drives the back-end (`session`)
decides by rule which of them is a finding.
"""

from __future__ import annotations

from vblkfuzz.errors import HarnessError


class BackendFault(HarnessError):
    """The back-end did not do what the protocol demands."""


class BackendGone(BackendFault):
    """The back-end closed the connection."""


class BackendSilent(BackendFault):
    """The back-end gave no answer within the time limit."""


class MalformedReply(BackendFault):
    """The back-end's answer is not one to what was asked."""


class Refused(BackendFault):
    """The back-end answered that it could not do it (REPLY_ACK with a value other than 0)."""


class FeatureMissing(BackendFault):
    """The back-end does not offer what this front-end cannot do without."""
