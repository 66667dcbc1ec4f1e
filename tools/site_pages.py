"""Hook of mkdocs (docs/mkdocs.yml): which files of the checkout the site has, and where.

They keep their places: docs/ci.md becomes docs/ci.html, README.md the first page. So a relative
link leads to the same page on the site and on a forge.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File, Files

CHECKOUT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ("*.md", "docs/**/*.md", "examples/**/*.md", "deploy/**/*.md")
LINK: Final = re.compile(r"\]\((?P<path>[\w./-]+)(?:#[\w-]+)?\)")


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401 -- mkdocs has a class in the way
    """Add the pages, and the files that they link to."""
    pages = sorted({path for pattern in PAGES for path in CHECKOUT.glob(pattern)})
    for path in sorted({*pages, *(linked for page in pages for linked in _linked(page))}):
        name = path.relative_to(CHECKOUT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def _linked(page: Path) -> list[Path]:
    """Return the files that a page links to."""
    found = LINK.finditer(page.read_text(encoding="utf-8"))
    paths = [(page.parent / link["path"]).resolve() for link in found]
    return [path for path in paths if path.is_file()]
