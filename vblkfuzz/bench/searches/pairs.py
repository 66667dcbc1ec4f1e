"""The default search with feedback from ordered pairs of accesses instead of states."""

from __future__ import annotations

from typing import Final

from vblkfuzz.bench.searches.campaign import CampaignSearch

SEARCH: Final = CampaignSearch(
    "pairs",
    "default with pairs of accesses of different actors instead of state features",
    {"states": False, "pairs": True},
)
