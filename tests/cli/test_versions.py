"""`skytrail dags versions`, `diff`, `rollback` and `withdraw`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.factories import document, save_dag

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture(autouse=True)
def _story(committing: None) -> None:
    save_dag({"a": []})
    save_dag({"a": [], "b": ["a"]})


def test_versions_are_listed_compared_and_gone_back_to(command: CommandLine) -> None:
    rows = command("dags", "versions", "story", "-o", "json").json
    assert [(row["number"], row["holds"]) for row in rows] == [(2, "now"), (1, "")]
    shown = command("dags", "diff", "story", "1").out
    assert "+ b" in shown
    assert "+ a → b" in shown
    assert "say the same" in command("dags", "diff", "story", "2").out
    assert command("dags", "diff", "story", "1", "2", "-o", "json").json["added_tasks"] == ["b"]
    back = command("dags", "rollback", "story", "1", "-o", "json").json
    assert back == {"dag_id": "story", "version": 3, "new_version": True}
    assert command("dags", "diff", "story", "9", expect=4).err


def test_a_version_for_later_is_saved_listed_and_withdrawn(
    command: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "story.json"
    file.write_text(json.dumps(document({"c": []})))
    command("dags", "save", str(file), "--effective-from=2126-01-01")
    rows = command("dags", "versions", "story", "-o", "json").json
    assert [(row["number"], row["holds"]) for row in rows][:2] == [(3, "later"), (2, "now")]
    assert "will not take over" in command("dags", "withdraw", "story", "3").out
    said = command("dags", "save", str(file), "--effective-from=2020-01-01", expect=3)
    assert "effective_from" in said.err


def test_a_run_uses_the_version_that_is_named(command: CommandLine) -> None:
    assert command("dags", "trigger", "story", "--version=1", "-o", "json").json["version"] == 1
    command("dags", "trigger", "story", "--version=7", expect=4)
