"""What every test may rely on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker, Settings

from runs_app import dispatching
from runs_app.selectors.graphs import graph_of
from tests.conveyor import Conveyor
from tests.doubles import RecordingDispatcher


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """One database for all tests. Django's plugin makes it only for those with its own marks."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default": False})
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True)
def _nothing_leaves_the_process(settings: Settings) -> Iterator[None]:
    """No test publishes to a broker unless it says so; passwords are checked quickly."""
    settings.SKYTRAIL_DISPATCHER = "tests.doubles.make"
    settings.SKYTRAIL_CONNECTION_TESTER = "tests.doubles.WorkerOfDefault"
    settings.SKYTRAIL_FERNET_KEYS = ["a-key-for-the-tests-and-for-nothing-else-A4"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    dispatching.get_dispatcher.cache_clear()
    graph_of.cache_clear()
    yield
    dispatching.get_dispatcher.cache_clear()


@pytest.fixture
def dispatcher() -> RecordingDispatcher:
    """What would have been published."""
    found = dispatching.get_dispatcher()
    assert isinstance(found, RecordingDispatcher)
    return found


@pytest.fixture
def conveyor(monkeypatch: pytest.MonkeyPatch) -> Conveyor:
    """A broker and workers in this process, under the test's control."""
    conveyor = Conveyor()
    dispatching.get_dispatcher.cache_clear()
    monkeypatch.setattr("tests.doubles.make", lambda: conveyor)
    return conveyor


@pytest.fixture
def committing(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database in which commits are commits; Skytrail's tables are emptied afterwards.

    For whatever has to see commits: hooks that run after them, other connections, other processes.
    """
    with django_db_blocker.unblock():
        yield
        empty_tables()


def empty_tables() -> None:
    """Faster than Django's flush, which also makes permissions and periodic tasks anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename LIKE 'skytrail_%'"
        )
        (tables,) = cursor.fetchone()
        cursor.execute(f"TRUNCATE {tables}, auth_user, django_session CASCADE")


# ------------------------------------------------------------------- people


def _user(name: str, *permissions: str, **fields: Any) -> User:
    user = User.objects.create_user(name, password=f"{name}'s password", **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return User.objects.get(pk=user.pk)


@pytest.fixture
def alice(db: None) -> User:
    """May do everything with DAGs."""
    verbs = ("view", "add", "change", "delete", "run")
    return _user("alice", *(f"dags_app.{verb}_dag" for verb in verbs))


@pytest.fixture
def bob(db: None) -> User:
    """May look at DAGs and runs, and nothing else."""
    return _user("bob", "dags_app.view_dag")


@pytest.fixture
def charlie(db: None) -> User:
    """Has an account, and no permission."""
    return _user("charlie")


@pytest.fixture
def admin(db: None) -> User:
    """A superuser."""
    return _user("admin", is_staff=True, is_superuser=True)


@pytest.fixture
def no_companion_stays() -> Iterator[None]:
    """Ends the companion of executions that were performed in this process: it has a connection."""
    from workers import execution  # few tests need it

    yield
    execution._companion().stop()
    execution._shipper().stop()
    execution._companion.cache_clear()
    execution._shipper.cache_clear()
