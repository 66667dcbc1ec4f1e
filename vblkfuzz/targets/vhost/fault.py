"""Errors between a vhost-user front-end and its back-end.

All are harness errors. Those that mean that the back-end does not answer are connection errors as
well: the guest process reports them as `lost`, and the target decides whether that is a finding
(`targets.real`). An answer that the protocol does not allow is a finding.
"""

from __future__ import annotations

from vblkfuzz.errors import HarnessError, ProtocolViolated


class BackendFault(HarnessError):
    """The back-end did not follow the protocol."""


class BackendGone(BackendFault, ConnectionError):
    """The back-end closed the connection."""


class BackendSilent(BackendFault, ConnectionError):
    """The back-end gave no answer within the time limit."""


class MalformedReply(BackendFault, ProtocolViolated):
    """The back-end's answer does not fit the request."""


class Refused(BackendFault):
    """The back-end answered with an error (REPLY_ACK with a value other than 0)."""


class FeatureMissing(BackendFault):
    """The back-end does not offer a feature that this front-end requires."""
