"""A campaign misses only what its target can observe."""

from __future__ import annotations

from pathlib import Path

from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.trace.witness import MODEL, Witness


def situations(witnesses: Witness, folder: Path) -> set[str]:
    options = CampaignOptions(folder, witnesses=witnesses)
    return set(Campaign(options, print, print).summary.situations)


def test_what_only_the_device_itself_shows_is_not_missed_outside(tmp_path: Path) -> None:
    inside = situations(MODEL, tmp_path)
    outside = situations(~Witness.DEVICE, tmp_path)
    assert {"reset_with_parked_request", "reset_with_request_in_flight"} <= inside
    assert "reset_with_request_in_flight" in outside
    assert "reset_with_parked_request" not in outside
