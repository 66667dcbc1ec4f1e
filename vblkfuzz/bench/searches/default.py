"""The search that all others are compared with: `vblkfuzz fuzz` as it is."""

from __future__ import annotations

from typing import Final

from vblkfuzz.bench.searches.campaign import CampaignSearch

SEARCH: Final = CampaignSearch("default", "what `vblkfuzz fuzz` does")
