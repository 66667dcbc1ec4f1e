"""The default search with feedback from code blocks only, as in other fuzzers."""

from __future__ import annotations

from typing import Final

from vblkfuzz.bench.searches.campaign import CampaignSearch

SEARCH: Final = CampaignSearch(
    "no_states", "default with coverage of code blocks only, no state features", {"states": False}
)
