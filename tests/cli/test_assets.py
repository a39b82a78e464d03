"""`skytrail assets`."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine
from tests.factories import save_dag

pytestmark = pytest.mark.usefixtures("committing")


def test_assets_are_listed_and_made_new(command: CommandLine) -> None:
    assert "No DAG names an asset" in command("assets", "list").out
    assert "No asset has been made new" in command("assets", "events").out
    save_dag({"a": []}, name="report", schedule={"assets": ["orders"]})
    made = command("assets", "emit", "orders", '--extra={"rows": 3}', "-o", "json").json
    assert made["extra"] == {"rows": 3}
    (asset,) = command("assets", "list", "-o", "json").json
    assert (asset["name"], asset["consumers"]) == ("orders", ["report"])
    (event,) = command("assets", "events", "orders", "-o", "json").json
    assert event["id"] == made["id"]
    assert "JSON object" in command("assets", "emit", "orders", "--extra=[1]", expect=3).err
