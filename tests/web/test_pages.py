"""The pages show what the folder has, whatever it is called."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.conftest import Client
from tests.web.folders import SENTENCE, SIGNATURE, output_folder, signatures
from vblkfuzz.store.canary import Canary
from vblkfuzz.web.folder import Folder
from vblkfuzz.web.place import PER_PAGE


def test_the_first_page(out: Path) -> None:
    shown = Folder(out).overview()
    assert (shown.about, shown.state) == ("model, patch-v4, inline", "ended, exit status 77")
    assert dict(shown.figures) == {
        "executions": "594,880",
        "executions/s": "704",
        "features": "1,304",
        "findings": "3",
        "situations met": "60 of 107",
        "inputs": "12",
        "time": "10 min",
        "not judged": "4",
    }
    assert [len(one.lines) for one in shown.charts] == [1, 1, 1, 2]
    assert [(one.id, one.findings, one.met) for one in shown.rules][:4] == [
        ("S1", 1, 3),
        ("S2", 1, 2),
        ("S3", 1, 1),
        ("S4", 0, 2),
    ]
    assert shown.canaries == [Canary("no_selfkick", 420, 640, 2.5), Canary("early_done", 400)]
    assert [name for name, _ in shown.silence] == ["planted defects", "unseen", "PCT"]
    workers, campaigns = shown.tables
    assert [row[0] for row in workers.rows] == ["0", "1"]
    assert [row[-1] for row in campaigns.rows] == ["3 (3)", "3 (0)"]


def test_all_of_it_is_on_the_page(client: Callable[..., Client], out: Path) -> None:
    page = client(Folder(out)).get("/").text
    shown = Folder(out).overview()
    for name, value in shown.figures:
        assert f"<dt>{name}</dt><dd>{value}</dd>" in page
    for one in shown.charts:
        assert all(f'points="{line.points}"' in page for line in one.lines)
    assert "640 executions" in page
    assert '<a href="/findings?rule=S1">1</a>' in page


def test_a_folder_before_the_first_campaign(tmp_path: Path, client: Callable[..., Client]) -> None:
    from vblkfuzz.store.ledger import Ledger

    Ledger(tmp_path / "campaign.sqlite").close()
    browser = client(Folder(tmp_path))
    assert "no campaign yet" in browser.get("/").text
    for path in ("/findings", "/corpus", "/situations"):
        assert browser.get(path).status_code == 200


def test_findings_by_rule(client: Callable[..., Client], tmp_path: Path) -> None:
    place = Folder(output_folder(tmp_path / "out", 0, 2 * PER_PAGE + 5))
    seen: list[str] = []
    for number in (1, 2, 3):
        listed = place.findings("", number)
        assert (listed.number, listed.of, listed.total) == (number, 3, 2 * PER_PAGE + 5)
        seen += [one.name for one in listed.rows]
    assert sorted(seen) == sorted(signatures(2 * PER_PAGE + 5))
    first = place.findings("S1", 1).rows[0]
    assert first[:4] == ("S1", SIGNATURE, SENTENCE, "2,002 times")
    assert {one[0] for one in place.findings("S2", 1).rows} == {"S2"}
    page = client(place).get("/findings?rule=S1&page=99").text
    assert f'href="/findings/{SIGNATURE}"' in page
    assert "page=2" in client(place).get("/findings").text


def test_a_rate_that_was_measured(out: Path) -> None:
    from vblkfuzz.store.confidence import Confidence, keep_confidence
    from vblkfuzz.store.rate import Rate

    folder = out / "findings" / SIGNATURE
    keep_confidence(folder, Confidence("model", Rate(9, 10)))
    assert Folder(out).findings("S1", 1).rows[0][4] == str(Confidence("model", Rate(9, 10)))


def test_the_corpus(client: Callable[..., Client], out: Path) -> None:
    browser = client(Folder(out))
    page = browser.get("/corpus").text
    assert "12 inputs" in page
    for file in (out / "corpus").iterdir():
        assert f'href="/corpus/{file.name}"' in page
    text = browser.get(f"/corpus/{file.name}").text
    assert "ops = [" in text


def test_situations(client: Callable[..., Client], out: Path) -> None:
    page = client(Folder(out)).get("/situations").text
    assert "47 of 107 situations never met" in page
    assert page.count('class="met"') == 60
    assert page.index(">S1 <") < page.index(">S10 <") < page.index(">L1 <")
    assert "after 3 s of campaign 1" in page


HOSTILE = "s1-<script>alert(1)</script>'\"&"


def test_names_are_only_text(client: Callable[..., Client], tmp_path: Path) -> None:
    out = output_folder(tmp_path / "<b>out", 0)
    # A slash cannot be in the name of a file.
    name = HOSTILE.replace("/", "")
    (out / "findings" / SIGNATURE).rename(out / "findings" / name)
    (out / "findings" / name / "verdict.json").write_text('{"sentence": "<i>x</i>"}')
    (out / "corpus" / "<u>x").write_bytes(b"x")
    browser = client(Folder(out))
    for path in ("/", "/findings", "/corpus", "/corpus/%3Cu%3Ex"):
        page = browser.get(path).text
        assert not any(mark in page for mark in ("<b>", "<script>alert", "<i>", "<u>"))
    assert "&lt;i&gt;x" in browser.get("/findings").text


NAMES = ("..", "%2e%2e%2fcampaign.sqlite", "..%2F..%2Fx", "%00", "x" * 300, "%FF", ".tmp-x")


def test_names_lead_nowhere_else(client: Callable[..., Client], out: Path) -> None:
    shutil.copy(out / "campaign.sqlite", out / "corpus" / ".tmp-x")
    browser = client(Folder(out))
    for path in [f"/{folder}/{name}" for folder in ("findings", "corpus") for name in NAMES]:
        answer = browser.get(path)
        # A client takes ".." out of an address by itself.
        assert answer.status_code == (200 if path.endswith("..") else 404), path
        assert "SQLite" not in answer.text


def test_the_page_of_a_finding(client: Callable[..., Client], out: Path) -> None:
    answer = client(Folder(out)).get(f"/findings/{SIGNATURE}")
    assert answer.status_code == 200
    assert 'class="lanes"' in answer.text
    assert '<a href="/findings">All findings</a>' in answer.text


def test_a_finding_that_has_no_page(client: Callable[..., Client], out: Path) -> None:
    (out / "findings" / SIGNATURE / "finding.vblk").write_bytes(b"half")
    answer = client(Folder(out)).get(f"/findings/{SIGNATURE}")
    assert answer.text.count('role="alert"') == 1
    assert "no page of it" in answer.text


def test_who_looks_at_once_shares_one_look() -> None:
    pytest.importorskip("anyio", reason="the extra web is not installed")
    from vblkfuzz.web.live import Live

    made: list[int] = []

    def make() -> str:
        made.append(1)
        return "<p>a\nb</p>"

    async def look() -> list[str]:
        live = Live(make)
        many = [live.events() for _ in range(20)]
        return [await anext(one) for one in many]

    assert set(asyncio.run(look())) == {"data: <p>a\ndata: b</p>\n\n"}
    assert len(made) < 20


def test_names_that_are_not_utf_8(client: Callable[..., Client], out: Path) -> None:
    """Every list shows them, and their addresses lead to them."""
    (one, *_) = sorted((out / "corpus").iterdir())
    shutil.copy(one, out / "corpus" / "\udcff ?#%2f")
    shutil.copytree(out / "findings" / SIGNATURE, out / "findings" / "s1-\udcfe")
    browser = client(Folder(out))
    inputs = browser.get("/corpus")
    assert (inputs.status_code, "/corpus/%FF%20%3F%23%252f" in inputs.text) == (200, True)
    assert browser.get("/corpus/%FF%20%3F%23%252f").status_code == 200
    findings = browser.get("/findings")
    assert (findings.status_code, "/findings/s1-%FE" in findings.text) == (200, True)
    found = Folder(out).finding("s1-\udcfe")
    assert found is not None
