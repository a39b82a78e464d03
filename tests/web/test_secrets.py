"""Connections and variables in the admin: what is secret goes in, and is not shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import Settings

from skytrail.security.models import Connection, Variable
from skytrail.security.secrets import keeping
from skytrail.security.secrets.finding import find_connection, find_variable
from skytrail.security.secrets.values import ConnectionValue
from tests.web.conftest import logged_in, staff
from tests.web.forms import fields_of

pytestmark = pytest.mark.django_db

CONNECTIONS = "/admin/skytrail_security/connection/"
VARIABLES = "/admin/skytrail_security/variable/"

WAREHOUSE = ConnectionValue(
    conn_id="dwh",
    conn_type="postgresql",
    host="db.example.org",
    port=5432,
    schema="sales",
    login="etl",
    password="s3cret-canary",
    extra={"sslmode": "require", "api": {"token": "t0ken-canary"}},
)


def page_of(row: Connection | Variable) -> str:
    folder = CONNECTIONS if isinstance(row, Connection) else VARIABLES
    return f"{folder}{row.pk}/change/"


@pytest.fixture
def warehouse(db: None) -> str:
    """The page of a connection that is kept."""
    return page_of(keeping.keep_connection(WAREHOUSE, description="main"))


def form_of(root: Client, page: str) -> dict[str, str]:
    kind = "connection_form" if page.startswith(CONNECTIONS) else "variable_form"
    return fields_of(root, page, form=kind)


def refused(root: Client, page: str, fields: dict[str, Any]) -> str:
    """The page that says what was wrong."""
    answer = root.post(page, fields)
    assert answer.status_code == 200
    return str(answer.content.decode())


# ---------------------------------------------------------------- connections


def test_a_connection_is_added_and_not_shown(root: Client) -> None:
    fields = form_of(root, f"{CONNECTIONS}add/") | {
        "conn_id": "dwh", "conn_type": "postgresql", "host": "db.example.org", "port": "5432",
        "schema": "sales", "login": "etl", "password": "s3cret-canary",
        "extra": json.dumps(WAREHOUSE.extra), "description": "main",
    }  # fmt: skip
    assert root.post(f"{CONNECTIONS}add/", fields).status_code == 302
    assert find_connection("dwh") == WAREHOUSE
    for page in (CONNECTIONS, page_of(Connection.objects.get()), f"{CONNECTIONS}?q=dwh"):
        shown = root.get(page)
        assert shown.status_code == 200
        assert "canary" not in shown.content.decode()
    assert "canary" not in " ".join(map(str, LogEntry.objects.values()))


def test_what_nobody_touched_stays(root: Client, warehouse: str) -> None:
    fields = form_of(root, warehouse)
    assert fields["password"] == ""
    assert '"token": "***"' in fields["extra"]
    assert root.post(warehouse, fields).status_code == 302
    assert find_connection("dwh") == WAREHOUSE
    assert root.post(warehouse, fields | {"password": "***"}).status_code == 302
    assert find_connection("dwh") == WAREHOUSE
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == 2 * [
        "No fields changed."
    ]


def test_the_history_names_the_fields_and_not_what_is_in_them(root: Client, warehouse: str) -> None:
    fields = form_of(root, warehouse) | {"host": "host-canary", "password": "new-canary"}
    root.post(warehouse, fields)
    assert find_connection("dwh").password == "new-canary"
    (entry,) = LogEntry.objects.all()
    assert entry.get_change_message() == "Changed host and password."
    assert "canary" not in str(LogEntry.objects.values())


def test_a_password_can_be_taken_away(root: Client, warehouse: str) -> None:
    root.post(warehouse, form_of(root, warehouse) | {"no_password": "on"})
    assert find_connection("dwh").password == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conn_type": "Post gres"}, "no type of connection"),
        ({"port": "70000"}, "65535"),
        ({"host": "a\0b"}, "Null characters"),
        ({"login": "x" * 10_001}, "at most 10000"),
        ({"extra": "[1]"}, "write a JSON object"),
        ({"extra": '{"a": '}, "extra"),
        ({"extra": '{"other": {"token": "***"}}'}, "stands for nothing"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    change: dict[str, str], said: str, root: Client, warehouse: str
) -> None:
    sent = form_of(root, warehouse) | {"password": "typed-canary"} | change
    page = refused(root, warehouse, sent)
    assert said in page
    assert "canary" not in page
    assert find_connection("dwh") == WAREHOUSE


def test_a_secret_in_extras_is_not_shown_again_where_something_else_is_wrong(
    root: Client, warehouse: str
) -> None:
    typed = {"extra": '{"token": "typed-canary", "note": "seen"}', "port": "0"}
    page = refused(root, warehouse, form_of(root, warehouse) | typed)
    assert "canary" not in page
    assert "seen" in page
    assert "type it anew" in page
    assert "type it anew" not in refused(root, warehouse, form_of(root, warehouse) | {"port": "0"})
    page = refused(root, warehouse, form_of(root, warehouse) | {"port": "0", "password": "canary"})
    assert "type it anew" in page


@pytest.mark.parametrize("name", ["a/b", "..", "dwh"])
def test_a_name_is_usable_and_there_once(name: str, root: Client, warehouse: str) -> None:
    fields = form_of(root, f"{CONNECTIONS}add/") | {"conn_id": name, "conn_type": "http"}
    page = refused(root, f"{CONNECTIONS}add/", fields)
    assert "letters" in page or "already exists" in page
    assert Connection.objects.count() == 1


def test_a_name_stays(root: Client, warehouse: str) -> None:
    root.post(warehouse, form_of(root, warehouse) | {"conn_id": "other"})
    assert Connection.objects.get().conn_id == "dwh"


def test_without_its_key_one_is_saved_anew(
    root: Client, warehouse: str, settings: Settings
) -> None:
    settings.SKYTRAIL_FERNET_KEYS = [Fernet.generate_key().decode()]
    assert root.get(CONNECTIONS).status_code == 200
    assert "cannot be read" in root.get(warehouse).content.decode()
    fields = form_of(root, warehouse)
    assert "cannot be read" in refused(root, warehouse, fields)
    assert root.post(warehouse, fields | {"password": "new", "host": "db"}).status_code == 302
    found = find_connection("dwh")
    assert (found.host, found.password) == ("db", "new")
    settings.SKYTRAIL_FERNET_KEYS = []
    assert "make-fernet-key" in refused(root, warehouse, fields | {"password": "new"})


def test_a_worker_tests_one(root: Client, warehouse: str) -> None:
    url = warehouse.replace("change", "test")
    assert root.get(url).status_code == 405
    shown = root.post(url, follow=True)
    assert "Tested on worker@default: dwh answered" in shown.content.decode()


def test_who_may_look_sees_no_secret_and_changes_nothing(warehouse: str) -> None:
    keeping.keep_variable("region", "north", is_secret=False)
    variable = page_of(keeping.keep_variable("key", "v-canary"))
    viewer = logged_in(
        staff("vera", "skytrail_security.view_connection", "skytrail_security.view_variable")
    )
    for page, seen in ((warehouse, "db.example.org"), (variable, "***")):
        shown = viewer.get(page).content.decode()
        assert seen in shown
        assert "canary" not in shown
        assert viewer.post(page, {}).status_code == 403
    assert viewer.post(warehouse.replace("change", "test")).status_code == 403
    assert "north" in viewer.get(page_of(Variable.objects.get(key="region"))).content.decode()
    stranger = logged_in(staff("steve"))
    for page in (CONNECTIONS, VARIABLES, warehouse, variable):
        assert stranger.get(page).status_code == 403


# ---------------------------------------------------------------- variables


def test_a_secret_variable_is_added_kept_and_changed(root: Client) -> None:
    fields = form_of(root, f"{VARIABLES}add/")
    assert fields["is_secret"] == "on"
    assert (
        root.post(
            f"{VARIABLES}add/", fields | {"key": "k", "value": "s3cret\r\ncanary"}
        ).status_code
        == 302
    )
    page = page_of(Variable.objects.get())
    fields = form_of(root, page)
    assert fields["value"] == ""
    root.post(page, fields | {"description": "of it"})
    root.post(page, fields | {"value": "***"})
    assert find_variable("k") == "s3cret\ncanary"
    root.post(page, fields | {"value": "new-canary"})
    assert find_variable("k") == "new-canary"
    for shown in (root.get(page), root.get(VARIABLES)):
        assert "canary" not in shown.content.decode()
    assert "canary" not in " ".join(map(str, LogEntry.objects.values()))


def test_a_secret_is_not_made_readable(root: Client) -> None:
    page = page_of(keeping.keep_variable("k", "s3cret-canary"))
    fields = form_of(root, page)
    del fields["is_secret"]
    answer = refused(root, page, fields)
    assert "write its value anew" in answer
    assert "canary" not in answer
    root.post(page, fields | {"value": "north"})
    assert "north" in root.get(page).content.decode()
    assert "stands for nothing" in refused(root, page, fields | {"value": "***"})


def test_a_readable_one_is_shown_and_can_be_emptied(root: Client) -> None:
    page = page_of(keeping.keep_variable("region", "north", is_secret=False))
    fields = form_of(root, page)
    assert fields["value"] == "north"
    root.post(page, fields)
    root.post(page, fields | {"value": ""})
    assert find_variable("region") == ""
    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert said == ["No fields changed.", "Changed value."]


def test_a_value_whose_key_is_lost_is_not_emptied_by_accident(
    root: Client, settings: Settings
) -> None:
    page = page_of(keeping.keep_variable("region", "north", is_secret=False))
    settings.SKYTRAIL_FERNET_KEYS = [Fernet.generate_key().decode()]
    fields = form_of(root, page)
    assert "write it anew" in refused(root, page, fields | {"description": "of it"})
    assert root.post(page, fields | {"value": "south"}).status_code == 302
    assert find_variable("region") == "south"


@pytest.mark.parametrize(
    "change", [{"key": "a/b"}, {"key": ""}, {"value": "a\0"}, {"value": "x" * 262_145}]
)
def test_what_cannot_be_a_variable_is_refused(change: dict[str, str], root: Client) -> None:
    fields = form_of(root, f"{VARIABLES}add/") | {"key": "k", "value": "s3cret-canary"} | change
    assert "canary" not in refused(root, f"{VARIABLES}add/", fields)
    assert not Variable.objects.exists()


def test_a_filter_with_a_nul_filters_nothing(root: Client) -> None:
    for page in (CONNECTIONS, VARIABLES):
        assert root.get(f"{page}?description=%00").status_code == 302
