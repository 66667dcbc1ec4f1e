"""The default search without schedule control: each operation runs to its end before the next."""

from __future__ import annotations

from typing import Final

from vblkfuzz.bench.searches.campaign import CampaignSearch

SEARCH: Final = CampaignSearch(
    "no_schedule",
    "default without schedule control: no deviation at all",
    {"schedulers": ("none",)},
)
