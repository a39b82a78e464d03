"""`skytrail variables`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from skytrail.security.models import Variable
from skytrail.security.secrets.finding import find_variable
from tests.cli.conftest import CommandLine
from tests.cli.test_connections import at_a_terminal, send

pytestmark = pytest.mark.usefixtures("committing")


def test_a_secret_is_typed_or_sent_and_never_an_argument(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = command("variables", "set", "key", "s3cret-canary", expect=3)
    assert "canary" not in said.out + said.err
    assert "variables set key - < FILE" in said.err
    send(monkeypatch, "s3cret-canary\n\n")
    assert "as a secret" in command("variables", "set", "key", "-", "--description=of it").out
    assert find_variable("key") == "s3cret-canary\n"
    at_a_terminal(monkeypatch, "another-canary")
    said = command("variables", "set", "key", "-o", "json")
    assert "canary" not in said.out
    assert said.json == {"key": "key", "is_secret": True, "description": "of it"}
    assert find_variable("key") == "another-canary"


def test_what_is_not_secret_may_be_an_argument_and_is_shown(command: CommandLine) -> None:
    assert "region is kept." in command("variables", "set", "region", "north", "--not-secret").out
    assert command("variables", "get", "region", "-o", "json").json["value"] == "north"
    assert "variables set nope" in command("variables", "get", "nope", expect=4).err


def test_a_secret_is_shown_where_it_is_asked_for(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYTRAIL_VAR_API_TOKEN", "s3cret-canary")
    shown = command("variables", "get", "api_token", "-o", "json").json
    assert shown == {
        "key": "api_token", "value": "***", "is_secret": True, "source": "environment",
    }  # fmt: skip
    whole = command("variables", "get", "api_token", "--show-secrets").out
    assert "s3cret-canary" in whole


def test_a_list_says_where_each_comes_from(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "variables set" in command("variables", "list").out
    monkeypatch.setenv("SKYTRAIL_VAR_REGION", "from-canary")
    command("variables", "set", "region", "canary", "--not-secret")
    command("variables", "set", "zone", "canary", "--not-secret")
    said = command("variables", "list", "-o", "json")
    assert "canary" not in said.out
    assert [(row["key"], row["source"], row["hides"]) for row in said.json] == [
        ("region", "environment", ["database"]),
        ("zone", "database", []),
    ]


def test_one_is_deleted(command: CommandLine) -> None:
    command("variables", "set", "region", "north", "--not-secret")
    assert "deleted" in command("variables", "delete", "region").out
    assert "no variable region" in command("variables", "delete", "region", expect=4).err


def test_a_file_is_taken_over_as_a_whole(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "variables.json"
    document = {
        "region": "north",
        "limits": {"a": 1},
        "api_key": {"value": "s3cret-canary", "description": "of the API"},
        "open": {"value": "yes", "is_secret": False},
    }
    file.write_text(json.dumps(document))
    assert "4 added" in command("variables", "import", str(file)).out
    assert find_variable("limits") == '{"a": 1}'
    rows = dict(Variable.objects.values_list("key", "is_secret"))
    assert rows == {"region": True, "limits": True, "api_key": True, "open": False}
    assert "and 1 more" not in command("variables", "import", str(file), expect=5).err
    command("variables", "import", str(file), "--overwrite", "--secret-by-name")
    assert not Variable.objects.get(key="region").is_secret
    assert Variable.objects.get(key="api_key").is_secret
    file.write_text(json.dumps({"new": "x", "masked": "***", "a b": "x", "n": "\0"}))
    said = command("variables", "import", str(file), "--overwrite", "-o", "json", expect=3)
    assert said.error["problems"]
    assert not Variable.objects.filter(key="new").exists()


def test_what_is_no_text_is_refused(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))
    assert "UTF-8" in command("variables", "set", "key", "-", expect=3).err
    send(monkeypatch, "x" * 262_145)
    assert "262,144" in command("variables", "set", "key", "-", expect=3).err
    send(monkeypatch, "a\0b")
    assert "value" in command("variables", "set", "key", "-", expect=3).err
    assert not Variable.objects.exists()
