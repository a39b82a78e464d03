from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dj_database_url
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from skytrail.database import statement
from skytrail.settings.network import waits
from tests.troubled_database import TroubledDatabase, troubled_database

Connect = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[TroubledDatabase]:
    """A PostgreSQL that nobody else needs."""
    with troubled_database() as server:
        yield server


@pytest.fixture
def connect(
    server: TroubledDatabase, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connect]:
    """Connects as settings would have it: `connect(answer_within=0.5, pool=3)`.

    Skytrail's statements go the same way then.
    """
    made: list[BaseDatabaseWrapper] = []

    def connect(*, answer_within: float = 0, pool: int = 0) -> Any:
        database: dict[str, Any] = dict(dj_database_url.parse(server.url))
        database["ENGINE"] = "skytrail.database.backend"
        database["OPTIONS"] = waits(answer_within, {})
        if pool:
            database["OPTIONS"]["pool"] = {"min_size": pool, "max_size": pool, "timeout": 3}
        connection = ConnectionHandler({"default": database})["default"]
        monkeypatch.setattr(statement, "connections", {"default": connection})
        made.append(connection)
        return connection

    with django_db_blocker.unblock():
        yield connect
        for connection in made:
            connection.close()
            connection.close_pool()  # type: ignore[attr-defined]  # of this backend
