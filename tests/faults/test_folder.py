"""The output folder, or parts of it, are taken away; two campaigns want one folder."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import ONE_WORKER, long

pytestmark = pytest.mark.e2e

PARTS = ("corpus", "findings", "harness", "log", "campaign.sqlite")


@pytest.mark.fault(
    "The output folder is deleted while it is used",
    "The campaign ends with 125 and a line that names it; nothing is made anew in its place.",
)
def test_the_output_folder_is_deleted(campaign: Campaign) -> None:
    campaign.start(*ONE_WORKER)
    campaign.under_way()
    # Moved away first: a folder that is written cannot be deleted in one step.
    campaign.out.rename(campaign.aside)
    shutil.rmtree(campaign.aside, ignore_errors=True)
    ended = campaign.ended()
    assert ended.status == 125, ended.stderr
    assert "Traceback" not in ended.stderr
    assert f"{campaign.out}/corpus: No such file or directory" in ended.stderr
    assert not campaign.out.exists()
    assert campaign.processes() == []


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.fault(
    "`corpus`, `findings`, `harness`, `log` or `campaign.sqlite` is deleted while it is used",
    "The campaign ends with 125 and says what is gone, or goes on as if it were new. No traceback; "
    "the next start works.",
)
@long
def test_a_part_of_it_is_deleted(campaign: Campaign, part: str) -> None:
    campaign.start(*ONE_WORKER, "--runs", "400")
    campaign.under_way()
    path = campaign.out / part
    os.rename(path, campaign.aside)
    ended = campaign.ended()
    assert ended.status in (77, 125), ended.stderr
    assert "Traceback" not in ended.stderr
    assert campaign.processes() == []
    again = campaign.run(*ONE_WORKER, "--runs", "20")
    assert again.status in (0, 77), again.stderr
    campaign.check_books(again)


@pytest.mark.fault(
    "A second campaign on a folder that one uses",
    "It ends with 2 and one line; the first one goes on.",
)
@long
def test_a_second_campaign_on_the_folder(campaign: Campaign) -> None:
    campaign.start(*ONE_WORKER)
    campaign.under_way()
    second = campaign.verb("fuzz", "--runs", "1", "--out", str(campaign.out))
    assert second.returncode == 2
    (line,) = second.stderr.splitlines()
    assert "another campaign uses it" in line
    campaign.goes_on()
    ended = campaign.stop()
    assert ended.status == 130
    campaign.check_books(ended)
