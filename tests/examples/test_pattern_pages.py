"""The pages about patterns: each example has one, and what they link to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs" / "patterns").glob("*.md"))
EXAMPLES = ROOT / "examples" / "patterns"


def _links(page: Path) -> set[str]:
    return {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())}


@pytest.mark.parametrize("page", [*PAGES, EXAMPLES / "README.md"], ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for link in _links(page):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_each_page_is_in_the_list() -> None:
    assert {page.name for page in PAGES} - {"README.md"} <= _links(PAGES[0].parent / "README.md")


def test_each_example_says_where_to_read_on() -> None:
    listed = (EXAMPLES / "README.md").read_text()
    for file in EXAMPLES.glob("*.py"):
        if file.stem[0] != "_":
            (row,) = (line for line in listed.splitlines() if f"| {file.stem} |" in line)
            assert "../../docs/" in row, file.name
