"""The examples that the demo registers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import skytrail
from skytrail.errors import NotFound

#: The one that it runs.
MAIN = "weather_report"

#: What the examples' workers have to know and may reach: see examples/README.md.
SETTINGS = {
    "SKYTRAIL_TASK_MODULES": "examples.weather.hours",
    "SKYTRAIL_HTTP_ALLOWED": "127.0.0.1",
}


class NoExamples(NotFound):
    """There are no examples in {folder}: they come with Skytrail's repository, not with the
    installed package. Clone it and run `make demo` there.
    """


def project() -> Path:
    """The folder that holds `examples/`: the repository."""
    return Path(skytrail.__file__).resolve().parent.parent


def find(root: Path) -> list[dict[str, Any]]:
    """The definitions in `examples/`, by name. Raises NoExamples."""
    folder = root / "examples"
    documents = [json.loads(file.read_text("utf-8")) for file in folder.glob("*.json")]
    if not any(document["name"] == MAIN for document in documents):
        raise NoExamples(folder=folder)
    return sorted(documents, key=lambda document: str(document["name"]))
