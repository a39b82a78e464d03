"""Definitions while they are being written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dags_app.domain.parse import parse
from dags_app.web.drafts import as_yaml, read
from skytrail.documents import read_yaml

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
PATTERNS = sorted((ROOT / "examples" / "patterns").glob("*.yaml"))


@pytest.mark.parametrize("file", [*EXAMPLES, *PATTERNS], ids=lambda file: file.name)
def test_what_is_written_out_means_the_same_when_it_is_read(file: Path) -> None:
    spec = parse(read_yaml(file.read_bytes()).value).canonical()
    draft = read(as_yaml(spec))
    assert draft.flaws == []
    assert draft.spec is not None
    assert draft.spec.canonical() == spec


@pytest.mark.parametrize(
    "text",
    ["no", "22:30", "010", "1e3", "~", "null", "a: b", "- a", "# no comment", "trailing ", "\ttab",
     "two\nlines", "lines  \nwith trailing", "", "'", '"', "\u202e", "é", "0x1F", "0o7", ".inf",
     "=", "<<", "-1", "+1.5", "1.", ".5", "True", "NULL"],
)  # fmt: skip
def test_text_stays_text(text: str) -> None:
    spec = {"name": "d", "description": text, "tasks": [{"id": "a", "type": "empty"}]}
    assert read_yaml(as_yaml(spec)).value["description"] == text


def test_what_is_wrong_stands_at_its_line() -> None:
    text = "name: d\ntasks:\n  - id: a\n    type: bash\n    command: x\n    depends_on: [nobody]\n"
    (flaw,) = read(text).flaws
    assert (flaw.line, flaw.path) == (6, "tasks[0].depends_on[0]")
    (flaw,) = read("name: d\ntasks: [\n").flaws
    assert flaw.line == 3
    assert "line" not in flaw.message


def test_json_with_tabs_is_taken() -> None:
    definition = {"name": "d", "tasks": [{"id": "a", "type": "empty"}]}
    assert read(json.dumps(definition, indent="\t")).spec is not None


def test_what_is_no_definition_is_said() -> None:
    (flaw,) = read("just words").flaws
    assert "must be an object" in flaw.message
    assert read("").flaws
