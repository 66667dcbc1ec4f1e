"""The default search without feedback: no input is kept, each is a few edits of the empty one."""

from __future__ import annotations

from typing import Final

from vblkfuzz.bench.searches.campaign import CampaignSearch

SEARCH: Final = CampaignSearch(
    "no_feedback",
    "default without coverage: no input is kept, each is a few edits from the empty one",
    {"feedback": False},
)
