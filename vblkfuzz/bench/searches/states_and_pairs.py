"""The default search with feedback from ordered pairs of accesses as well."""

from __future__ import annotations

from typing import Final

from vblkfuzz.bench.searches.campaign import CampaignSearch

SEARCH: Final = CampaignSearch(
    "states_and_pairs",
    "default with pairs of accesses of different actors as further features",
    {"pairs": True},
)
