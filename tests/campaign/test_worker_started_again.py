"""A worker that was started again knows less than the one before; the campaign does not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from vblkfuzz.campaign.corpus_size import CorpusSize
from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.launch.plan import Stat


class Known:
    """A worker with some statistics."""

    dropped = 0

    def __init__(self, **statistics: int) -> None:
        self._statistics = Counter({Stat[name]: value for name, value in statistics.items()})

    def statistic(self, stat: Stat) -> int:
        return self._statistics[stat]


def test_features_and_functions_never_become_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corpus").mkdir()
    campaign = Campaign(CampaignOptions(tmp_path, coverage="functions"), print, print)
    campaign._started, campaign._next_entry = 0.0, float("inf")
    campaign._corpus_size = CorpusSize(tmp_path / "corpus")
    for before in (Known(FEATURES=90, REACHED=50, REACHABLE=99), Known(FEATURES=7, REACHED=3)):
        roster = SimpleNamespace(workers=[before], running=0, waiting=0, restarts=0)
        monkeypatch.setattr(campaign, "_roster", roster, raising=False)
        campaign._update(final=True)
    assert campaign.summary.features == 90
    assert campaign.summary.reach == ("functions", 50, 99)
