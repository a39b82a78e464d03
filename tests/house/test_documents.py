"""Links in the documents lead somewhere, and what the code refers to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, ROOT

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _anchors(document: Path) -> list[str]:
    """Of its headings, as GitHub makes them."""
    return [
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in _HEADING.findall(document.read_text())
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    dead = []
    for link in _LINK.findall(document.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path) if path else document
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_document_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = set(_LINK.findall(index.read_text()))
    assert {file.name for file in index.parent.glob("*.md")} - linked == {index.name}


def test_documents_that_the_code_refers_to_are_there() -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(r"docs/[\w./-]+\.(?:md|json)", path.read_text())
        if not (ROOT / name).exists()
    ]
    assert missing == []


def test_every_adr_is_dated_and_names_what_was_refused() -> None:
    for path in (ROOT / "docs/adr").glob("[0-9]*.md"):
        text = path.read_text()
        assert re.search(r"^Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE), path.name
        assert "## Refused" in text, path.name
