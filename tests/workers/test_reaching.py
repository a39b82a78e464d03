"""Whether what a connection leads to can be reached, and what is said about it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from runs_app.models import Worker
from skytrail.security.secrets import keeping, testing
from skytrail.security.secrets.testing import NobodyTested
from skytrail.security.secrets.values import ConnectionValue
from tests.waiting import wait_until
from tests.workers.pages import Page, Request, Site, serving
from workers.reaching.asking import WorkerTester
from workers.reaching.trying import try_connection

SECRET = "s3cret-canary"


@pytest.fixture
def kept(db: None) -> Any:
    """Keeps a connection, and tries it."""

    def tried(limit: float = 10, **fields: Any) -> testing.Tested:
        keeping.keep_connection(ConnectionValue(conn_id="it", **fields))
        found = try_connection("it", limit=limit)
        assert SECRET not in found.message
        return found

    return tried


# ---------------------------------------------------------------- websites


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def allowed(settings: Settings) -> None:
    """The loopback address may be reached."""
    settings.SKYTRAIL_HTTP_ALLOWED = ["127.0.0.1"]


@pytest.mark.parametrize(
    ("code", "status"), [(200, "ok"), (302, "ok"), (404, "ok"), (401, "failed"), (503, "failed")]
)
@pytest.mark.usefixtures("allowed")
def test_a_website_answers(code: int, status: str, kept: Any, site: Site) -> None:
    site.pages["/"] = Page(status=code)
    tested = kept(conn_type="http", host="127.0.0.1", port=site.port, login="me", password=SECRET)
    assert tested.status == status
    assert f"answered {code}" in tested.message
    assert tested.where == socket.gethostname()
    assert site.requests[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.usefixtures("allowed")
def test_a_website_is_sent_what_tasks_send(kept: Any, site: Site) -> None:
    site.pages["/v1"] = Page()
    extra = {"token": SECRET, "headers": {"X-Shop": "7"}}
    tested = kept(conn_type="http", host="127.0.0.1", port=site.port, schema="v1", extra=extra)
    assert tested.status == "ok", tested
    sent = site.requests[0].headers
    assert (sent["Authorization"], sent["X-Shop"]) == (f"Bearer {SECRET}", "7")
    tested = kept(conn_type="http", host="x", extra={"token": f"{SECRET}\n"})
    assert tested.message.startswith("extra.token of it")


@pytest.mark.usefixtures("allowed")
def test_one_that_does_not_know_head_is_asked_with_get(kept: Any, site: Site) -> None:
    def page(request: Request) -> Page:
        return Page(status=405 if request.method == "HEAD" else 200)

    site.pages["/api"] = page
    tested = kept(conn_type="http", host=f"http://x:{SECRET}@127.0.0.1:{site.port}/api")
    assert tested.status == "ok"
    assert "GET http://127.0.0.1" in tested.message


def test_what_http_tasks_may_not_reach_is_not_reached(kept: Any, site: Site) -> None:
    tested = kept(conn_type="http", host="127.0.0.1", port=site.port)
    assert tested.status == "failed"
    assert "SKYTRAIL_HTTP_ALLOWED" in tested.message
    assert not site.requests


@pytest.mark.usefixtures("allowed")
def test_where_nobody_listens_it_fails(kept: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        tested = kept(conn_type="http", host="127.0.0.1", port=closed.getsockname()[1])
    assert tested.status == "failed"
    assert kept(conn_type="http", host="").status == "failed"
    assert kept(conn_type="http", host="a b\\").status == "failed"


# ---------------------------------------------------------------- databases


def _postgres(dbname: str, **changes: Any) -> dict[str, Any]:
    ours = connection.get_connection_params()
    return {
        "conn_type": "postgresql",
        "host": ours["host"],
        "port": int(ours["port"]),
        "login": ours["user"],
        "password": ours["password"],
        "schema": dbname,
    } | changes


def test_a_database_answers(kept: Any, tmp_path: Path) -> None:
    assert kept(**_postgres("postgres")).status == "ok"
    file = tmp_path / "rows.db"
    sqlite3.connect(file).close()
    file.touch()
    assert kept(conn_type="sqlite", schema=str(file)).status == "ok"


def test_what_is_wrong_with_a_database_is_said(kept: Any, tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    assert f"no file {missing}" in kept(conn_type="sqlite", schema=str(missing)).message
    assert not missing.exists()
    nowhere = kept(**_postgres("no_such_database", extra={"application_name": SECRET}))
    assert (nowhere.status, "no_such_database" in nowhere.message) == ("failed", True)
    assert "Skytrail" in kept(**_postgres(connection.settings_dict["NAME"])).message
    assert "driver" in kept(conn_type="mssql+pyodbc", host="x").message


def test_one_that_does_not_answer_is_given_up(kept: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        tested = kept(limit=0.3, **_postgres("postgres", host="127.0.0.1", port=port))
    assert (tested.status, tested.message) == ("failed", "no answer within 0.3 s")


def test_what_nobody_can_test_is_said(kept: Any) -> None:
    tested = kept(conn_type="aws", password=SECRET)
    assert (tested.status, "type aws" in tested.message) == ("untestable", True)
    missing = try_connection("nope")
    assert (missing.status, "no connection nope" in missing.message) == ("failed", True)


# ---------------------------------------------------------------- asking a worker


@pytest.fixture
def worker(
    committing: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of one process that has a connection of its own."""
    database = connection.settings_dict
    login = f"{database['USER']}:{database['PASSWORD']}"
    place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    tmp_path.chmod(0o777)
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{login}@{place}",
        "REDIS_URL": django_settings.SKYTRAIL_REDIS_URL,
        "SKYTRAIL_SECRET_KEY": "only for the tests",
        "SKYTRAIL_CONN_ONLY_THERE": f"aws://me:{SECRET}@nowhere",
        "TMPDIR": str(tmp_path),
    }
    redis.Redis.from_url(django_settings.SKYTRAIL_REDIS_URL).flushdb()
    command = [sys.executable, "-m", "skytrail.cli", "worker", "--name=near", "--concurrency=1"]
    process = subprocess.Popen(command, env=environment)
    wait_until(
        Worker.objects.filter(name__startswith="near@", stopped_at=None).exists,
        timeout=40,
        what="the worker has reported itself",
    )
    yield process
    process.kill()
    process.wait()


def test_a_worker_tests_with_what_it_has(worker: subprocess.Popen[bytes]) -> None:
    tested = WorkerTester().try_in_worker("only_there", queue="default")
    assert tested.status == "untestable"
    assert tested.where.startswith("near@")
    broker: Any = redis.Redis.from_url(django_settings.SKYTRAIL_REDIS_URL)
    assert not list(broker.scan_iter("skytrail:connection-test:*"))


def test_where_no_worker_is_nobody_waits_for_long(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.reaching.asking._WAIT", 0.2)
    with pytest.raises(NobodyTested, match="queue nobodys"):
        WorkerTester().try_in_worker("it", queue="nobodys")
