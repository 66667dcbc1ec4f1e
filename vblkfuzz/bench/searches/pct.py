"""The default search with all schedules by PCT (Burckhardt et al., ASPLOS 2010)."""

from __future__ import annotations

from typing import Final

from vblkfuzz.bench.searches.campaign import CampaignSearch

SEARCH: Final = CampaignSearch(
    "pct", "default with each schedule by PCT alone", {"schedulers": ("pct",)}
)
