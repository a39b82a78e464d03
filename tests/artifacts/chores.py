"""What tasks of these tests do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from skytrail.sdk import Artifact, artifact


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"row {number}"} for number in range(count)]


def named(count: int) -> dict[str, Any]:
    return {"rows": rows(count), "count": count}


def measure(given: Any) -> int:
    return len(given)


def report() -> Artifact:
    page = artifact.folder() / "report.html"
    page.write_text("<h1>ready</h1>")
    return artifact.save(page, ttl=timedelta(days=90))


def read(page: Artifact) -> dict[str, Any]:
    copy = page.download()
    with page.open() as file:
        begun = file.read(4).decode()
    return {
        "name": page.name,
        "kind": page.media_type,
        "text": page.read_text(),
        "begun": begun,
        "copy": copy.name,
        "folder_is_there": copy.parent.is_dir(),
        "folder": str(copy.parent),
    }


def folder_is_gone(read: dict[str, Any]) -> bool:
    return not Path(read["folder"]).exists()
