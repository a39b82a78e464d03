"""REST as its users have it: real tokens, and every answer held against the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from skytrail.security import tokens
from tests.api.checking import CheckedClient
from tests.api.processes import Web, started_web
from tests.conftest import _user


@pytest.fixture(autouse=True)
def _no_tries_yet() -> Iterator[None]:
    """Tries to log in are counted per address, and all tests come from the same one."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def oscar(db: None) -> User:
    """An operator: looks at DAGs, runs, pools and workers, and may trigger, cancel and clear."""
    return _user(
        "oscar",
        "dags_app.view_dag",
        "dags_app.run_dag",
        "runs_app.view_pool",
        "runs_app.view_worker",
    )


def bearer(user: User) -> str:
    """A token of the user's, as the header that carries it."""
    return f"Bearer {tokens.issue(user=user, ttl=timedelta(hours=1)).text}"


def checked_client(user: User | None) -> CheckedClient:
    """A client that sends a token of the user's."""
    client = CheckedClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=bearer(user))
    return client


@pytest.fixture
def as_alice(alice: User) -> CheckedClient:
    return checked_client(alice)


@pytest.fixture
def as_bob(bob: User) -> CheckedClient:
    return checked_client(bob)


@pytest.fixture
def as_charlie(charlie: User) -> CheckedClient:
    return checked_client(charlie)


@pytest.fixture
def as_oscar(oscar: User) -> CheckedClient:
    return checked_client(oscar)


@pytest.fixture
def as_admin(admin: User) -> CheckedClient:
    return checked_client(admin)


@pytest.fixture
def as_nobody() -> CheckedClient:
    return checked_client(None)


@pytest.fixture
def queries() -> Callable[[Callable[[], Any]], list[str]]:
    """The statements that a function has the database execute."""

    def captured(ask: Callable[[], Any]) -> list[str]:
        with CaptureQueriesContext(connection) as found:
            ask()
        return [query["sql"] for query in found.captured_queries]

    return captured


@pytest.fixture(scope="session")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The web server as an installation has it, on the tests' database."""
    with started_web(tmp_path_factory.mktemp("web")) as web:
        yield web
