"""`skytrail state`."""

from __future__ import annotations

import io
import sys

import pytest

from tests.cli.conftest import CommandLine
from tests.factories import save_dag

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture(autouse=True)
def _story(committing: None) -> None:
    save_dag({"a": []})


def test_a_value_is_kept_shown_and_forgotten(command: CommandLine) -> None:
    assert "Nothing is kept" in command("state", "list").out
    command("state", "set", "cursor", '{"since": 5}', "--dag=story", "--task=a")
    command("state", "set", "cursor", "plain text", "--asset=s3://lake", "--ttl=3600")
    found = command("state", "get", "cursor", "--dag=story", "--task=a", "-o", "json").json
    assert found["value"] == {"since": 5}
    assert found["expires_at"] is None
    rows = command("state", "list", "-o", "json").json
    assert [row["value"] for row in rows] == [{"since": 5}, "plain text"]
    command("state", "delete", "cursor", "--dag=story", "--task=a")
    assert command("state", "get", "cursor", "--dag=story", "--task=a", expect=4).err


def test_only_the_version_that_was_read_is_replaced(command: CommandLine) -> None:
    command("state", "set", "cursor", "1", "--dag=story", "--version=0")
    said = command("state", "set", "cursor", "2", "--dag=story", "--version=0", expect=5)
    assert "another version" in said.err


def test_a_secret_comes_from_standard_input(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = command("state", "set", "token", "canary", "--dag=story", "--secret", expect=3)
    assert "standard input" in refused.err
    stdin = io.TextIOWrapper(io.BytesIO(b"canary\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert "canary" not in command("state", "set", "token", "-", "--dag=story", "--secret").out
    assert command("state", "list", "-o", "json").json[0]["value"] == "***"
    stdin.close()
