"""Fenced blocks are found, and output of another form is noticed."""

from __future__ import annotations

import pytest

from tests.docs.page_blocks import Block, blocks, missing_lines


def test_blocks_of_a_page() -> None:
    page = 'a\n```sh\nls\n```\n* b\n\n    ```toml title="c.toml"\n    d = 1\n    ```\n'
    assert list(blocks(page)) == [Block("sh", "", "ls\n"), Block("toml", "c.toml", "d = 1\n")]


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        ("12 runs in 1.5 s\n...\nend", "3 runs  in 20 s\nmore\nend\n", []),
        ("12 runs", "12 walks", ["12 runs"]),
        ("b\na", "a\nb", ["a"]),
    ],
)
def test_lines_that_were_not_printed(shown: str, printed: str, missing: list[str]) -> None:
    assert missing_lines(shown, printed) == missing
