"""While the database is away REST says so, in the one shape and at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.api.checking import CheckedClient, check_error


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
    assert "the database does not answer" in caplog.text
