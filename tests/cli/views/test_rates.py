"""Rates at the end of a campaign: shown of a real device, and a model that varies is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.cli.views.fuzz_summary import say_summary, say_trouble
from vblkfuzz.store.confidence import Confidence
from vblkfuzz.store.rate import Rate
from vblkfuzz.store.summary import Summary
from vblkfuzz.targets.options import NO_OPTIONS


def shown(target: str, capsys: pytest.CaptureFixture[str]) -> str:
    confidence = {
        "s1-reset": Confidence(target, Rate(19, 20), Rate(0, 20)),
        "l6-drained": Confidence(target, Rate(3, 3, 2)),
    }
    say_summary(Summary(confidence=confidence), target, "x", NO_OPTIONS, Path("out"))
    return capsys.readouterr().out


def test_a_real_device(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown("qemu", capsys)
    assert (
        "Re-runs that showed the finding (on a real device, with the 95 % interval):\n"
        "  l6-drained\n"
        "      3 of 3 (44 to 100 %), 2 harness errors\n"
        "  s1-reset\n"
        "      19 of 20 (76 to 99 %); without its schedule 0 of 20 (0 to 16 %)\n"
        "\n"
    ) in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_model_gives_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Re-runs" not in shown("model", capsys)


def test_without_rates_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    say_summary(Summary(), "qemu", "x", NO_OPTIONS, Path("out"))
    assert "Re-runs" not in capsys.readouterr().out


@pytest.mark.parametrize("target", ["model", "qemu"])
def test_only_the_model_must_not_vary(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    varying = {"s1-x": Confidence(target, Rate(2, 5)), "s1-y": Confidence(target, Rate(5, 5))}
    say_trouble(Path("out"), Summary(execs=1, confidence=varying))
    said = "vblkfuzz: s1-x: not deterministic: the model showed it in 2 of 5 runs\n"
    assert capsys.readouterr().err == (said if target == "model" else "")
