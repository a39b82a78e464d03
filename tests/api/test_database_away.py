"""While the database is away or takes no changes, people and programs are told so, at once."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.api.checking import CheckedClient, check_error
from tests.api.conftest import checked_client
from tests.factories import save_dag


@pytest.fixture
def _away(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Nobody listens where the database was."""
    with django_db_blocker.unblock():
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "PORT", "1")
        yield
        connection.close()


@pytest.mark.usefixtures("_away")
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "dags"), ("POST", "dags/story/runs"), ("POST", "auth/token")]
)
def test_it_is_503_with_the_time_to_wait(
    method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = CheckedClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer sky_anything")
    answer = client.generic(
        method, path, '{"username": "a", "password": "b"}', content_type="application/json"
    )
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    check_error(answer)
    assert answer.json()["error"]["code"] == "database_unavailable"
    assert "port 1" not in answer.content.decode(), "where it is is nobody's business"
    assert "the database is in trouble (away): " in caplog.text


@pytest.mark.usefixtures("_away")
@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/runs_app/dagrun/", "/api/v1/docs"])
def test_it_is_so_before_any_view_is_reached(path: str) -> None:
    browser = Client(raise_request_exception=False)
    browser.cookies["sessionid"] = "whatever"
    answer = browser.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "The database does not answer; try again in a moment." in answer.content.decode()
    expected = "application/json" if path.startswith("/api/") else "text/html; charset=utf-8"
    assert answer.headers["Content-Type"] == expected


@pytest.fixture
def administrator(committing: None) -> Iterator[User]:
    """Somebody who may do everything, and is known to the database."""
    made = User.objects.create_superuser("administrator", password="a password")
    yield made
    connection.close()
    made.delete()


def test_a_database_that_takes_no_changes_still_answers_questions(administrator: User) -> None:
    client = checked_client(administrator)
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    assert client.get("dags").status_code == 200
    answer = client.post("dags", {"name": "new", "tasks": [{"id": "a"}]}, format="json")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["error"]["code"] == "database_read_only"


def test_who_waits_too_long_for_a_lock_is_told_to_come_again(administrator: User) -> None:
    save_dag({"a": []})
    client = checked_client(administrator)
    parameters = connection.get_connection_params()
    where = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**where) as other, connection.cursor() as cursor:
        other.execute("SELECT FROM skytrail_dag FOR UPDATE")
        cursor.execute("SET lock_timeout = '50ms'")
        answer = client.patch("dags/story", {"paused": True}, format="json")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "database_busy"
