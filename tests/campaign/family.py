"""The processes of a campaign."""

from __future__ import annotations

from pathlib import Path


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(text) for text in listed.read_text().split()] if listed.exists() else []


def family(pid: int) -> list[int]:
    below = [one for child in children(pid) for one in family(child)]
    return [pid, *below]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
