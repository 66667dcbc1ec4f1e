"""Figures of a campaign, as a monitoring system reads them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT
from tests.conformance.leftovers import nothing_left
from tests.waiting import WAIT_S, until
from vblkfuzz.errors import UsageError
from vblkfuzz.store.summary import Summary

pytest.importorskip("prometheus_client", reason="the extra web is not installed")

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from vblkfuzz.web.metrics import Metrics

OPEN = "application/openmetrics-text; version=1.0.0"
SUMMARY = Summary(
    execs=1200,
    violations=30,
    seen={"s1-reset": 29, 'odd"\\name\n': 1},
    situations={"one": True, "other": False},
    alive=2,
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def figures(port: int) -> dict[tuple[str, ...], float]:
    """Return the samples: name and values of labels."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": OPEN})
    with opener.open(request, timeout=WAIT_S) as answer:
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_was_noted_last_is_served() -> None:
    port, before = free_port(), set(threading.enumerate())
    with nothing_left():
        with Metrics(port) as metrics:
            assert figures(port) == {}
            metrics.note(SUMMARY)
            SUMMARY.seen["later"] = 1  # the campaign goes on
            found = figures(port)
        until(lambda: not set(threading.enumerate()) - before)
    assert found["vblkfuzz_executions_total",] == 1200
    assert found["vblkfuzz_violations_total",] == 30
    assert found["vblkfuzz_finding_executions_total", "s1-reset"] == 29
    assert found["vblkfuzz_finding_executions_total", 'odd"\\name\n'] == 1
    assert found["vblkfuzz_situations", "met"] == found["vblkfuzz_situations", "never"] == 1
    assert found["vblkfuzz_workers", "running"] == 2
    assert ("vblkfuzz_finding_executions_total", "later") not in found


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UsageError, match=rf"--metrics-port {port}: .*in use: choose another"):
            Metrics(port)


def test_a_campaign_serves_them_until_it_ends(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "vblkfuzz", "fuzz", "--mode", "inline", "--workers", "1"]
    budget = ["--max-total-time", "600", "--out", str(tmp_path / "out")]
    with subprocess.Popen(
        [*command, *budget, "--metrics-port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as campaign:
        try:
            until(lambda: _executions(port) > 0)
        finally:
            campaign.terminate()
        assert campaign.wait(WAIT_S) == 72
    with pytest.raises(OSError, match="refused"):
        figures(port)


def _executions(port: int) -> float:
    try:
        return figures(port).get(("vblkfuzz_executions_total",), 0)
    except OSError:  # it has not begun
        return 0


def test_the_board_asks_for_figures_that_there_are() -> None:
    board = json.loads((CHECKOUT / "deploy/grafana/vblkfuzz.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    with Metrics(port := free_port()) as metrics:
        metrics.note(SUMMARY)
        names = {name for name, *_ in figures(port)}
    assert len(asked) >= 8
    for expression in asked:
        assert any(name in expression for name in names), expression
