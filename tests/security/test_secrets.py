"""Connections and variables: how they are written, where they are looked for, how they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from skytrail.errors import SkytrailError
from skytrail.security import vault
from skytrail.security.models import Connection, Variable
from skytrail.security.secrets import changing, keeping
from skytrail.security.secrets.finding import (
    ConnectionMissing,
    VariableMissing,
    find_connection,
    find_variable,
)
from skytrail.security.secrets.names import NameUnusable
from skytrail.security.secrets.outside import SecretFileUnreadable
from skytrail.security.secrets.values import ConnectionValue
from skytrail.security.secrets.writing import ConnectionInvalid
from skytrail.security.vault import CannotBeDecrypted, NoKey

pytestmark = pytest.mark.django_db

WAREHOUSE = ConnectionValue(
    conn_id="dwh",
    conn_type="postgresql",
    host="db.example.org",
    port=5432,
    schema="sales",
    login="e@tl",
    password="s3cret/ж?#:",
    extra={"sslmode": "require"},
)


@pytest.fixture
def mounted(settings: Settings, tmp_path: Path) -> Path:
    """A folder of secrets, as a container platform mounts it."""
    for name in ("connections", "variables"):
        (tmp_path / name).mkdir()
    settings.SKYTRAIL_SECRETS_DIR = tmp_path
    return tmp_path


# ---------------------------------------------------------------- how they are written


def test_a_uri_says_all_of_a_connection_and_is_read_back() -> None:
    assert WAREHOUSE.uri.startswith("postgresql://e%40tl:s3cret%2F")
    assert ConnectionValue.from_uri("dwh", WAREHOUSE.uri) == WAREHOUSE


def test_json_says_the_same() -> None:
    fields = {"conn_type": "postgresql", **WAREHOUSE.fields(), "port": "5432"}
    assert ConnectionValue.from_json("dwh", fields) == WAREHOUSE
    assert ConnectionValue.from_json("dwh", {"uri": WAREHOUSE.uri}) == WAREHOUSE


def test_extras_that_are_no_texts_survive_a_uri() -> None:
    value = ConnectionValue(conn_id="a", conn_type="http", host="h", extra={"n": 1, "m": {"x": []}})
    assert ConnectionValue.from_uri("a", value.uri) == value


def test_an_address_of_six_parts_stands_in_brackets() -> None:
    value = ConnectionValue.from_uri("six", "redis://[::1]:6379/0")
    assert (value.host, value.port, value.schema) == ("::1", 6379, "0")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("no-uri-canary", "uri"),
        ("postgresql://u:can/ary@h", "uri"),
        ("http://h?a=canary&a=2", "uri"),
        ('{"conn_type": "http", "port": 0}', "port"),
        ('{"conn_type": "http", "port": "canary"}', "port"),
        ('{"host": "canary"}', "conn_type"),
        ('{"conn_type": "http", "passwort": "canary"}', "passwort"),
        ('{"conn_type": "http", "extra": "[1]"}', "extra"),
        ('{"conn_type": "http", "password": ["canary"]}', "password"),
        ('{"conn_type": "http", "login": "\\u0000canary"}', "login"),
    ],
)
def test_a_mistake_is_named_by_its_field_and_no_content_is_shown(text: str, path: str) -> None:
    with pytest.raises(ConnectionInvalid) as refused:
        ConnectionValue.from_text("dwh", text)
    assert path in {problem.path for problem in refused.value.problems}
    shown = f"{refused.value} {refused.value.problems}"
    assert "canary" not in shown


def test_a_connection_shows_no_secret_by_accident() -> None:
    value = ConnectionValue.from_uri("a", "http://u:canary@h?token=canary2")
    assert "canary" not in repr(value)
    assert "canary" not in f"{value}"
    assert value.secret_values() == ["canary", "canary2"]


# ---------------------------------------------------------------- where they are looked for


def test_the_environment_goes_before_files_and_those_before_the_database(
    mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.keep_connection(ConnectionValue.from_uri("my-db", "http://database"))
    keeping.keep_variable("my-key", "database")
    assert find_connection("my-db").host == "database"
    assert find_variable("my-key") == "database"
    (mounted / "connections" / "my-db").write_text("http://file\n")
    (mounted / "variables" / "my-key").write_text("file\n")
    assert find_connection("my-db").host == "file"
    assert find_variable("my-key") == "file"
    monkeypatch.setenv("SKYTRAIL_CONN_MY_DB", '{"conn_type": "http", "host": "environment"}')
    monkeypatch.setenv("SKYTRAIL_VAR_MY_KEY", "environment")
    assert find_connection("my-db").host == "environment"
    assert find_variable("my-key") == "environment"


def test_what_is_missing_is_named_with_all_places_it_was_looked_for(mounted: Path) -> None:
    with pytest.raises(ConnectionMissing) as no_connection:
        find_connection("dwh")
    assert "SKYTRAIL_CONN_DWH" in str(no_connection.value)
    assert str(mounted / "connections" / "dwh") in str(no_connection.value)
    assert "skytrail connections add dwh" in str(no_connection.value)
    with pytest.raises(VariableMissing, match="SKYTRAIL_VAR_REGION"):
        find_variable("region")


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "../x", "ä", "a\n", "x" * 251])
def test_no_name_leads_anywhere_else(name: str, mounted: Path) -> None:
    with pytest.raises(NameUnusable):
        find_connection(name)
    with pytest.raises(NameUnusable):
        keeping.keep_variable(name, "x")


def test_a_link_may_not_lead_out_of_the_folder(mounted: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "shadow"
    elsewhere.write_text("http://canary")
    (mounted / "connections" / "dwh").symlink_to(elsewhere)
    with pytest.raises(SecretFileUnreadable, match="leads out of the folder"):
        find_connection("dwh")


def test_a_file_that_cannot_be_read_is_an_error_and_no_reason_to_look_elsewhere(
    mounted: Path,
) -> None:
    keeping.keep_variable("region", "from the database")
    (mounted / "variables" / "region").write_bytes(b"\xff\xfe")
    with pytest.raises(SecretFileUnreadable, match="UTF-8"):
        find_variable("region")


# ---------------------------------------------------------------- how they are kept


def test_the_database_holds_nothing_that_can_be_read() -> None:
    keeping.keep_connection(WAREHOUSE, description="the warehouse")
    keeping.keep_variable("greeting", "hello canary")
    rows = [str(row) for row in [*Connection.objects.values(), *Variable.objects.values()]]
    for secret in ("s3cret", "e@tl", "db.example.org", "canary"):
        assert secret not in " ".join(rows)
    assert find_connection("dwh") == WAREHOUSE
    assert find_variable("greeting") == "hello canary"


def test_a_secret_that_is_moved_to_another_name_cannot_be_used() -> None:
    keeping.keep_connection(WAREHOUSE)
    keeping.keep_connection(ConnectionValue.from_uri("mine", "http://my-own-host"))
    stolen = Connection.objects.get(conn_id="dwh").sealed
    Connection.objects.filter(conn_id="mine").update(sealed=stolen)
    with pytest.raises(CannotBeDecrypted):
        find_connection("mine")


def test_a_change_keeps_what_it_does_not_name() -> None:
    keeping.keep_connection(WAREHOUSE, description="the warehouse")
    changing.change_connection("dwh", {"host": "new.example.org"})
    found = find_connection("dwh")
    assert (found.host, found.password) == ("new.example.org", WAREHOUSE.password)
    assert Connection.objects.get().description == "the warehouse"
    with pytest.raises(ConnectionInvalid):
        changing.change_connection("dwh", {"port": -1})
    assert find_connection("dwh") == found


def test_what_is_not_kept_cannot_be_deleted_or_changed() -> None:
    for act in (
        lambda: keeping.delete_connection("dwh"),
        lambda: keeping.delete_variable("region"),
        lambda: changing.change_connection("dwh", {}),
    ):
        with pytest.raises(SkytrailError, match="database holds no"):
            act()


def test_without_a_key_nothing_is_kept(settings: Settings) -> None:
    settings.SKYTRAIL_FERNET_KEYS = []
    with pytest.raises(NoKey, match="make-fernet-key"):
        keeping.keep_connection(WAREHOUSE)
    assert not Connection.objects.exists()


def test_all_secrets_are_encrypted_anew_with_a_new_key(settings: Settings) -> None:
    for number in range(3):
        keeping.keep_variable(f"v{number}", f"value {number}")
    keeping.keep_connection(WAREHOUSE)
    new = Fernet.generate_key().decode()
    settings.SKYTRAIL_FERNET_KEYS = [new, *settings.SKYTRAIL_FERNET_KEYS]
    assert keeping.encrypted() == 4
    assert sum(keeping.encrypt_anew()) == 4
    settings.SKYTRAIL_FERNET_KEYS = [new]
    assert find_connection("dwh") == WAREHOUSE
    assert find_variable("v2") == "value 2"
    settings.SKYTRAIL_FERNET_KEYS = [vault.make_key()]
    with pytest.raises(CannotBeDecrypted):
        list(keeping.encrypt_anew())
