"""The default search with libFuzzer's own mutations: of bytes, not of operations.

Feedback, codec and rules are the same, so this is what one gets from Atheris without a mutator.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.bench.searches.campaign import CampaignSearch

SEARCH: Final = CampaignSearch(
    "byte_mutations", "Atheris without our mutator: libFuzzer mutates the bytes", {"mutate": False}
)
