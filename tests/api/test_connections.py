"""Connections and variables over REST: what is secret goes in, and does not come out."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from skytrail.security.models import Connection, Variable
from skytrail.security.secrets import keeping
from skytrail.security.secrets.finding import find_connection, find_variable
from skytrail.security.secrets.values import ConnectionValue
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of

WAREHOUSE: dict[str, Any] = {
    "conn_id": "dwh",
    "conn_type": "postgresql",
    "description": "main",
    "host": "db.example.org",
    "port": 5432,
    "schema": "sales",
    "login": "etl",
    "password": "s3cret-canary",
    "extra": {
        "sslmode": "require",
        "api": {"token": "t0ken-canary", "retries": 3},
        "note": "it is s3cret-canary",
        "hosts": ["http://me:pass-canary@a", "b"],
    },
}
MASKED_EXTRA = {
    "sslmode": "require",
    "api": {"token": "***", "retries": 3},
    "note": "it is ***",
    "hosts": ["http://me:***@a", "b"],
}


def kept() -> ConnectionValue:
    fields = {name: value for name, value in WAREHOUSE.items() if name != "description"}
    return ConnectionValue.from_json("dwh", fields)


# ---------------------------------------------------------------- connections


def test_a_connection_is_created_and_its_secrets_do_not_come_back(as_admin: CheckedClient) -> None:
    made = as_admin.post("connections", WAREHOUSE)
    assert made.status_code == 201
    assert find_connection("dwh") == kept()
    for answer in (made, as_admin.get("connections/dwh"), as_admin.get("connections")):
        assert "canary" not in answer.content.decode()
    shown = as_admin.get("connections/dwh").json()
    expected = WAREHOUSE | {"password": "***", "extra": MASKED_EXTRA}
    assert {name: shown[name] for name in WAREHOUSE} == expected
    (row,) = as_admin.get("connections").json()["results"]
    assert row.keys() == {
        "id", "conn_id", "conn_type", "description", "created_at", "updated_at",
    }  # fmt: skip


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_was_shown_may_be_sent_back_and_keeps_what_was_hidden(
    method: str, as_admin: CheckedClient
) -> None:
    as_admin.post("connections", WAREHOUSE)
    shown = as_admin.get("connections/dwh").json()
    sent = {name: shown[name] for name in WAREHOUSE} | {"host": "new.example.org"}
    answer = getattr(as_admin, method)("connections/dwh", sent)
    assert answer.status_code == 200
    assert "canary" not in answer.content.decode()
    found = find_connection("dwh")
    assert (found.host, found.password, found.extra) == (
        "new.example.org", kept().password, kept().extra,
    )  # fmt: skip


def test_put_replaces_all_and_patch_keeps_what_is_not_sent(as_admin: CheckedClient) -> None:
    as_admin.post("connections", WAREHOUSE)
    as_admin.patch("connections/dwh", {"port": None, "description": ""})
    found = find_connection("dwh")
    assert (found.port, found.password) == (None, WAREHOUSE["password"])
    assert Connection.objects.get().description == ""
    as_admin.patch("connections/dwh", {"extra": {"api": {"token": "***"}}})
    assert find_connection("dwh").extra == {"api": {"token": "t0ken-canary"}}
    answer = as_admin.put("connections/dwh", {"conn_id": "dwh", "conn_type": "http"})
    assert answer.json()["password"] == ""
    assert find_connection("dwh") == ConnectionValue(conn_id="dwh", conn_type="http")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"extra": {"token": "***"}}, "extra.token"),
        ({"extra": {"note": "now ***"}}, "extra.note"),
        ({"extra": {"hosts": ["b", "http://me:***@a"]}}, "extra.hosts"),
        ({"login": "***"}, "login"),
    ],
)
def test_a_mask_that_stands_for_nothing_is_refused(
    change: dict[str, Any], path: str, as_admin: CheckedClient
) -> None:
    as_admin.post("connections", WAREHOUSE)
    answer = as_admin.patch("connections/dwh", change)
    assert answer.status_code == 400
    assert problems_of(answer) == {path: "nothing_kept"}
    assert find_connection("dwh") == kept()
    answer = as_admin.post("connections", {**WAREHOUSE, "conn_id": "b", "password": "***"})
    assert problems_of(answer) == {"password": "nothing_kept"}
    assert not Connection.objects.filter(conn_id="b").exists()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"conn_id": "a/b"}, "conn_id"),
        ({"conn_id": "a\n"}, "conn_id"),
        ({"conn_id": ""}, "conn_id"),
        ({"conn_id": "n" * 251}, "conn_id"),
        ({"conn_id": None}, "conn_id"),
        ({"conn_type": "Post gres"}, "conn_type"),
        ({"conn_type": "x" * 65}, "conn_type"),
        ({"host": "h" * 10_001}, "host"),
        ({"host": "a\0"}, "host"),
        ({"host": 5}, None),  # as text
        ({"port": 0}, "port"),
        ({"port": 65_536}, "port"),
        ({"port": "many"}, "port"),
        ({"login": None}, "login"),
        ({"password": "p" * 65_537}, "password"),
        ({"password": "a\0"}, "password"),
        ({"password": ["s3cret-canary"]}, "password"),
        ({"extra": [1]}, "extra"),
        ({"extra": {"a": "\0"}}, "extra.a"),
        ({"description": "d" * 10_001}, "description"),
        ({"sealed": "x"}, "sealed"),
        ({"id": "x"}, "id"),
    ],
)
def test_what_cannot_be_a_connection_is_refused_by_field(
    change: dict[str, Any], path: str | None, as_admin: CheckedClient
) -> None:
    answer = as_admin.post("connections", WAREHOUSE | change)
    if path is None:
        assert answer.status_code == 201
        return
    assert answer.status_code == 400
    assert path in problems_of(answer)
    assert "canary" not in answer.content.decode()
    assert not Connection.objects.exists()


def test_a_name_stays_and_is_there_once(as_admin: CheckedClient) -> None:
    as_admin.post("connections", WAREHOUSE)
    again = as_admin.post("connections", WAREHOUSE | {"host": "other"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "connection_exists")
    answer = as_admin.patch("connections/dwh", {"conn_id": "other"})
    assert problems_of(answer) == {"conn_id": "name_mismatch"}
    assert find_connection("dwh") == kept()
    assert as_admin.delete("connections/dwh").status_code == 204
    assert as_admin.delete("connections/dwh").status_code == 404
    for name in ("dwh", "..", "nope"):
        assert as_admin.patch(f"connections/{name}", {}).status_code == 404


def test_what_comes_from_the_environment_is_not_told(
    as_admin: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYTRAIL_CONN_HERE", "http://canary")
    monkeypatch.setenv("SKYTRAIL_VAR_HERE", "canary")
    for path in ("connections", "variables"):
        assert as_admin.get(path).json()["results"] == []
        assert as_admin.get(f"{path}/here").status_code == 404


def test_without_its_key_a_connection_can_be_listed_replaced_and_deleted(
    as_admin: CheckedClient, settings: Settings
) -> None:
    as_admin.post("connections", WAREHOUSE)
    as_admin.post("variables", {"key": "region", "value": "north", "is_secret": False})
    settings.SKYTRAIL_FERNET_KEYS = [Fernet.generate_key().decode()]
    assert as_admin.get("connections").status_code == 200
    assert as_admin.get("variables").status_code == 200
    for path in ("connections/dwh", "variables/region"):
        answer = as_admin.get(path)
        assert answer.status_code == 409
        assert "SKYTRAIL_FERNET_KEYS" in answer.json()["error"]["message"]
    assert as_admin.patch("connections/dwh", {"port": 1}).status_code == 409
    assert as_admin.put("connections/dwh", WAREHOUSE | {"password": "***"}).status_code == 409
    assert as_admin.put("connections/dwh", WAREHOUSE).status_code == 200
    assert as_admin.delete("variables/region").status_code == 204
    settings.SKYTRAIL_FERNET_KEYS = []
    answer = as_admin.post("variables", {"key": "a", "value": "b"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_key")


def test_lists_come_in_pages(as_admin: CheckedClient) -> None:
    for name in ("c", "a", "B"):
        keeping.keep_connection(ConnectionValue.from_uri(name, "http://x"))
        keeping.keep_variable(name, "x")
    for path, name in (("connections", "conn_id"), ("variables", "key")):
        first = as_admin.get(f"{path}?limit=2").json()
        second = as_admin.get(first["next"]).json()
        names = [row[name] for row in [*first["results"], *second["results"]]]
        assert sorted(names) == ["B", "a", "c"]
        assert second["next"] is None
        assert as_admin.get(f"{path}?name=a").status_code == 400


# ---------------------------------------------------------------- variables


def test_a_variable_is_secret_unless_said_otherwise(as_admin: CheckedClient) -> None:
    made = as_admin.post("variables", {"key": "k", "value": "s3cret-canary"})
    assert made.status_code == 201
    assert made.json()["is_secret"] is True
    open_ = as_admin.post("variables", {"key": "o", "value": " north ", "is_secret": False})
    assert open_.json()["value"] == " north "
    for answer in (made, as_admin.get("variables/k"), as_admin.get("variables")):
        assert "canary" not in answer.content.decode()
    assert find_variable("k") == "s3cret-canary"


def test_a_secret_is_kept_by_its_mask_and_not_made_readable(as_admin: CheckedClient) -> None:
    as_admin.post("variables", {"key": "k", "value": "s3cret-canary"})
    as_admin.put("variables/k", {"key": "k", "value": "***", "description": "new"})
    assert find_variable("k") == "s3cret-canary"
    assert Variable.objects.get().description == "new"
    for change in ({"is_secret": False}, {"is_secret": False, "value": "***"}):
        answer = as_admin.patch("variables/k", change)
        assert answer.status_code == 400
        assert problems_of(answer) == {"is_secret": "stays_secret"}
    as_admin.patch("variables/k", {"is_secret": False, "value": "north"})
    assert as_admin.get("variables/k").json()["value"] == "north"
    answer = as_admin.patch("variables/k", {"value": "***"})
    assert problems_of(answer) == {"value": "nothing_kept"}
    as_admin.put("variables/k", {"key": "k", "value": "south"})
    assert as_admin.get("variables/k").json()["value"] == "***"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"key": "a/b"}, "key"),
        ({"key": ".."}, None),
        ({"value": "v" * 262_145}, "value"),
        ({"value": "\0"}, "value"),
        ({"value": None}, "value"),
        ({"value": "***"}, "value"),
        ({"value": {"a": "s3cret-canary"}}, "value"),
        ({"is_secret": "perhaps"}, "is_secret"),
        ({"is_secret": None}, "is_secret"),
        ({"description": 5 * ["s3cret-canary"]}, "description"),
    ],
)
def test_what_cannot_be_a_variable_is_refused_by_field(
    change: dict[str, Any], path: str | None, as_admin: CheckedClient
) -> None:
    answer = as_admin.post("variables", {"key": "k", "value": "v"} | change)
    assert answer.status_code == 400
    if path is not None:
        assert path in problems_of(answer)
    assert "canary" not in answer.content.decode()
    assert not Variable.objects.exists()


def test_a_variable_that_is_there_is_a_conflict_and_can_be_deleted(as_admin: CheckedClient) -> None:
    as_admin.post("variables", {"key": "k", "value": "v"})
    again = as_admin.post("variables", {"key": "k", "value": "w"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "variable_exists")
    assert problems_of(as_admin.patch("variables/k", {"key": "o"})) == {"key": "name_mismatch"}
    assert as_admin.delete("variables/k").status_code == 204
    assert as_admin.get("variables/k").status_code == 404


# ---------------------------------------------------------------- tests of connections


def test_a_worker_tests_a_connection(as_admin: CheckedClient) -> None:
    answer = as_admin.post("connections/dwh/test", {})
    assert answer.json() == {
        "status": "ok", "message": "dwh answered", "where": "worker@default",
    }  # fmt: skip
    nobody = as_admin.post("connections/dwh/test", {"queue": "nobodys"})
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (503, "nobody_tested")
    assert problems_of(as_admin.post("connections/dwh/test", {"queue": "a b"})).keys() == {"queue"}
    assert as_admin.get("connections/dwh/test").status_code == 405
