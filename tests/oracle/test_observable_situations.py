"""A campaign lists as never met only what its target can show."""

from __future__ import annotations

from pathlib import Path

from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.trace.witness import MODEL, Witness

_OF_THE_BACKEND = {
    "failure_ignored",
    "failure_retried",
    "parked_request_completed",
    "saved_with_request_parked",
    "saved_with_request_in_flight",
    "saved_with_request_failed",
    "saved_with_call_pending",
    "write_in_mode_writethrough",
    "disk_at_rest",
    "data_read_after_power_loss",
}
"""Known from what a backend or a call does, which no real device reports."""


def _listed(witnesses: Witness) -> set[str]:
    options = CampaignOptions(Path("out"), witnesses=witnesses)
    campaign = Campaign(options, lambda message: None, lambda summary: None)
    return set(campaign.summary.situations)


def test_what_only_the_model_records_is_listed_for_the_model() -> None:
    assert _listed(MODEL) >= _OF_THE_BACKEND


def test_and_for_no_real_device() -> None:
    assert not _listed(~Witness.DEVICE) & _OF_THE_BACKEND
