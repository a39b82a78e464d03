"""`skytrail connections`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from skytrail.security.models import Connection
from skytrail.security.secrets import keeping
from skytrail.security.secrets.finding import find_connection
from skytrail.security.secrets.values import ConnectionValue
from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.usefixtures("committing")

URI = "postgresql://etl:s3cret-canary@db.example.org:5432/dwh"


def send(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Puts text where the next command reads standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Somebody sits there, and types this where something is asked."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_args, **_options: typed)


# ---------------------------------------------------------------- adding


def test_a_password_is_typed(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, "s3cret-canary")
    said = command(
        "connections", "add", "dwh", "--conn-type=postgresql", "--host=db", "--login=etl",
        "--port=5432", "--schema=sales", '--extra={"sslmode": "require"}', "--description=main",
    )  # fmt: skip
    assert "canary" not in said.out + said.err
    assert "with its password" in said.out
    found = find_connection("dwh")
    assert found.uri == "postgresql://etl:s3cret-canary@db:5432/sales?sslmode=require"
    assert Connection.objects.get().description == "main"


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (
            ["--conn-type=postgresql", "--host=db.example.org", "--port=5432", "--login=etl",
             "--schema=dwh", "--password-stdin"],
            "s3cret-canary\n",
        ),
        (["--conn-uri", "-"], URI + "\n"),
        (["--conn-json", "-"], json.dumps({"uri": URI})),
    ],
    ids=["password", "uri", "json"],
)  # fmt: skip
def test_secrets_come_from_standard_input(
    options: list[str], sent: str, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(monkeypatch, sent)
    said = command("connections", "add", "dwh", *options, "-o", "json")
    assert said.json["password"] == "***"
    assert "canary" not in said.out + said.err
    assert find_connection("dwh").uri == URI


@pytest.mark.parametrize(
    "options",
    [
        ["--conn-uri", URI],
        ["--conn-json", json.dumps({"uri": URI})],
        ["--conn-type=http", '--extra={"api_key": "s3cret-canary"}'],
        ["--conn-type=http", "--host=http://me:s3cret-canary@example.org"],
    ],
    ids=["uri", "json", "extra", "host"],
)
def test_a_secret_on_the_command_line_is_refused_and_the_safe_form_is_said(
    options: list[str], command: CommandLine
) -> None:
    said = command("connections", "add", "dwh", *options, expect=3)
    assert "canary" not in said.out + said.err
    assert " - < FILE" in said.err
    assert not Connection.objects.exists()


def test_without_a_secret_a_uri_may_be_an_argument(command: CommandLine) -> None:
    said = command("connections", "add", "site", "--conn-uri", "https://example.org/api")
    assert "without a password" in said.out
    assert find_connection("site").host == "example.org"


def test_one_that_is_there_is_only_replaced_if_that_is_said(command: CommandLine) -> None:
    command("connections", "add", "site", "--conn-uri", "https://one")
    assert (
        "--overwrite"
        in command("connections", "add", "site", "--conn-uri", "https://two", expect=5).err
    )
    assert find_connection("site").host == "one"
    command("connections", "add", "site", "--conn-uri", "https://two", "--overwrite")
    assert find_connection("site").host == "two"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["dwh"], "one way"),
        (["dwh", "--conn-type=http", "--conn-uri=-"], "one way"),
        (["dwh", "--host=db"], "conn_type"),
        (["a/b", "--conn-type=http"], "letters"),
        (["dwh", "--conn-type=http", "--extra=[1]"], "extra"),
        (["dwh", "--conn-type=http", "--login=***", "--no-password"], "stands for nothing"),
        (["dwh", "--conn-uri=-"], "nothing"),
    ],
)
def test_what_cannot_be_one_is_refused(
    arguments: list[str],
    expected: str,
    command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send(monkeypatch, "")
    assert expected in command("connections", "add", *arguments, expect=3).err
    assert not Connection.objects.exists()


# ---------------------------------------------------------------- looking


def test_a_connection_is_shown_without_its_secrets_unless_they_are_asked_for(
    command: CommandLine,
) -> None:
    value = ConnectionValue.from_json(
        "dwh",
        {
            "conn_type": "http",
            "host": "api",
            "password": "s3cret-canary",
            "extra": {"token": "t0ken-canary", "note": "s3cret-canary is it", "n": 1},
        },
    )
    keeping.keep_connection(value, description="main")
    said = command("connections", "get", "dwh", "-o", "json")
    assert "canary" not in said.out
    assert said.json["extra"] == {"token": "***", "note": "*** is it", "n": 1}
    assert said.json["source"] == "database"
    assert "canary" not in command("connections", "get", "dwh").out
    whole = command("connections", "get", "dwh", "--show-secrets", "-o", "json").json
    assert whole["password"] == "s3cret-canary"
    assert whole["uri"] == value.uri
    assert "connections add nope" in command("connections", "get", "nope", expect=4).err


def test_a_list_says_where_each_comes_from_and_holds_no_values(
    command: CommandLine,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "connections add" in command("connections", "list").out
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections" / "mounted").write_text(URI)
    (tmp_path / "connections" / "Both").write_text(URI)
    (tmp_path / "connections" / "broken").write_text("s3cret-canary")
    settings.SKYTRAIL_SECRETS_DIR = tmp_path
    monkeypatch.setenv("SKYTRAIL_CONN_BOTH", "http://me:s3cret-canary@a")
    monkeypatch.setenv("SKYTRAIL_CONN_ONLY_HERE", "http://b")
    keeping.keep_connection(ConnectionValue.from_uri("Both", URI), description="main")
    keeping.keep_connection(ConnectionValue.from_uri("kept", URI), description="[b]it[/b]")
    said = command("connections", "list", "-o", "json")
    assert {row["conn_id"]: (row["source"], row["conn_type"]) for row in said.json} == {
        "Both": ("environment", "http"),
        "broken": ("file", None),
        "kept": ("database", "postgresql"),
        "mounted": ("file", "postgresql"),
        "only_here": ("environment", "http"),
    }
    assert said.json[0]["hides"] == ["file", "database"]
    assert "type://" in said.json[1]["problem"]
    table = command("connections", "list").out
    assert "[b]it[/b]" in table
    for text in (said.out, table):
        assert "canary" not in text
        assert "example.org" not in text


def test_one_is_deleted(command: CommandLine) -> None:
    command("connections", "add", "site", "--conn-uri", "https://one")
    assert "deleted" in command("connections", "delete", "site").out
    assert not Connection.objects.exists()
    assert "no connection site" in command("connections", "delete", "site", expect=4).err


def test_a_worker_tests_one_or_this_machine(command: CommandLine) -> None:
    assert "✓ site answered (on worker@default)" in command("connections", "test", "site").out
    here = command("connections", "test", "site", "--here", "-o", "json").json
    assert here == {"status": "ok", "message": "site answered", "where": "here"}
    assert "--here" in command("connections", "test", "site", "--queue=gpu", expect=6).err
    command("connections", "test", "a/b", expect=3)


# ---------------------------------------------------------------- taking over a file

EXPORTED = {
    "dwh": {
        "conn_type": "postgres",
        "description": "main",
        "login": "etl",
        "password": "s3cret-canary",
        "host": "db",
        "port": 5432,
        "schema": "sales",
        "extra": '{"sslmode": "require"}',
    },
    "site": "https://me:t0ken-canary@example.org",
}


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_what_airflow_exports_is_taken_over(
    suffix: str, command: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / f"connections{suffix}"
    file.write_text(json.dumps(EXPORTED))  # which is YAML too
    said = command("connections", "import", str(file))
    assert "2 added, 0 replaced" in said.out
    assert find_connection("dwh").extra == {"sslmode": "require"}
    assert find_connection("site").password == "t0ken-canary"
    assert Connection.objects.get(conn_id="dwh").description == "main"


def test_all_of_a_file_is_imported_or_nothing(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "connections.json"
    bad = {"worse": {"conn_type": "http", "port": -1}, "a/b": "http://x", "m": {"password": "***"}}
    file.write_text(json.dumps(EXPORTED | bad))
    said = command("connections", "import", str(file), "-o", "json", expect=3)
    assert "canary" not in said.out + said.err
    paths = {problem["path"] for problem in said.error["problems"]}
    assert paths == {"worse.port", "a/b", "m.password"}
    assert not Connection.objects.exists()
    keeping.keep_connection(ConnectionValue.from_uri("dwh", "http://before"))
    file.write_text(json.dumps(EXPORTED))
    assert "dwh is there" in command("connections", "import", str(file), expect=5).err
    assert [row.conn_id for row in Connection.objects.all()] == ["dwh"]
    answer = command("connections", "import", str(file), "--overwrite", "-o", "json").json
    assert answer == {"added": ["site"], "replaced": ["dwh"]}
    assert find_connection("dwh").host == "db"


@pytest.mark.parametrize("text", ["[]", '"a"', "{", "null"])
def test_a_file_of_something_else_is_refused(
    text: str, command: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "file.json").write_text(text)
    command("connections", "import", str(tmp_path / "file.json"), expect=3)
    command("variables", "import", str(tmp_path / "file.json"), expect=3)
    command("connections", "import", str(tmp_path / "none.json"), expect=3)
