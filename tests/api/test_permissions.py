"""Who may do what: every address, every method, every kind of user.

A new address without a row here fails, and so does a method that a row does not speak of.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from runs_app.actions import backfilling
from runs_app.models import Artifact, DagRun, Pool
from skytrail.security.secrets import keeping
from skytrail.security.secrets.values import ConnectionValue
from tests.api.checking import CheckedClient
from tests.api.conftest import checked_client
from tests.api.stories import asked, told
from tests.conftest import _user
from tests.dead_letters import dead_letter
from tests.factories import import_error, save_dag, task

#: Who asks. The author may do everything with DAGs; the admin is a superuser.
PEOPLE = ("nobody", "charlie", "bob", "oscar", "alice", "admin")

DAG = "api/v1/dags/<name:dag_id>"
RUN = f"{DAG}/runs/<run:run_id>"
TASK = f"{RUN}/tasks/<name:task_id>"

LETTERS = "api/v1/dead-letters"
BACKFILLS = "api/v1/backfills"

Row = tuple[int, int, int, int, int, int]

SEE_DAG: Row = (401, 404, 200, 200, 200, 200)
LIST: Row = (401, 200, 200, 200, 200, 200)
CHANGE_DAG: Row = (401, 404, 403, 403, 400, 400)
RUN_DAG: Row = (401, 404, 403, 200, 200, 200)
SEE_OPERATIONS: Row = (401, 403, 403, 200, 403, 200)
MANY_LETTERS: Row = (401, 403, 403, 400, 400, 400)
KEEP_SECRETS: Row = (401, 403, 403, 403, 403, 200)
WRITE_SECRETS: Row = (401, 403, 403, 403, 403, 400)
READ_PAGE: Row = (302, 200, 200, 200, 200, 200)

#: What each gets, in the order of PEOPLE. Bodies are empty: 400 means "yes, but with what?".
MATRIX: dict[str, dict[str, Row]] = {
    "api/v1/auth/token": {
        "POST": (400, 400, 400, 400, 400, 400),
        "DELETE": (401, 204, 204, 204, 204, 204),
    },
    "api/v1/dags": {"GET": LIST, "POST": (401, 403, 403, 403, 400, 400)},
    DAG: {
        "GET": SEE_DAG,
        "PUT": CHANGE_DAG,
        "PATCH": (401, 404, 403, 403, 200, 200),
        "DELETE": (401, 404, 403, 403, 409, 409),
    },
    f"{DAG}/versions": {"GET": SEE_DAG},
    f"{DAG}/versions/<int:number>": {"GET": SEE_DAG, "DELETE": (401, 404, 403, 403, 409, 409)},
    f"{DAG}/versions/<int:number>/diff/<int:other>": {"GET": SEE_DAG},
    f"{DAG}/versions/<int:number>/rollback": {"POST": (401, 404, 403, 403, 200, 200)},
    f"{DAG}/next-runs": {"GET": SEE_DAG},
    f"{DAG}/resume-preview": {"GET": SEE_DAG},
    f"{DAG}/skipped-ticks": {"GET": SEE_DAG},
    f"{DAG}/status": {"GET": SEE_DAG},
    f"{DAG}/explain": {"GET": SEE_DAG},
    f"{DAG}/runs": {"GET": SEE_DAG, "POST": (401, 404, 403, 201, 201, 201)},
    RUN: {"GET": SEE_DAG, "PATCH": (401, 404, 403, 400, 400, 400)},
    f"{RUN}/explain": {"GET": SEE_DAG},
    f"{RUN}/cancel": {"POST": RUN_DAG},
    f"{RUN}/clear": {"POST": RUN_DAG},
    f"{RUN}/repeat": {"POST": (401, 404, 403, 201, 201, 201)},
    f"{DAG}/clear": {"POST": (401, 404, 403, 400, 400, 400)},
    f"{RUN}/tasks": {"GET": SEE_DAG},
    TASK: {"GET": SEE_DAG},
    f"{TASK}/explain": {"GET": SEE_DAG},
    f"{TASK}/logs": {"GET": SEE_DAG},
    f"{TASK}/rendered": {"GET": (401, 404, 404, 404, 404, 404)},
    f"{TASK}/output": {"GET": (401, 404, 404, 404, 404, 404)},
    f"{TASK}/outputs": {"GET": SEE_DAG},
    f"{TASK}/cancel": {"POST": RUN_DAG},
    "api/v1/runs": {"GET": LIST},
    BACKFILLS: {"GET": LIST, "POST": (401, 400, 400, 400, 400, 400)},
    f"{BACKFILLS}/<uuid:key>": {"GET": SEE_DAG},
    f"{BACKFILLS}/<uuid:key>/pause": {"POST": RUN_DAG},
    f"{BACKFILLS}/<uuid:key>/resume": {"POST": RUN_DAG},
    f"{BACKFILLS}/<uuid:key>/cancel": {"POST": RUN_DAG},
    LETTERS: {"GET": LIST},
    f"{LETTERS}/replay": {"POST": MANY_LETTERS},
    f"{LETTERS}/drop": {"POST": MANY_LETTERS},
    f"{LETTERS}/<uuid:key>": {"GET": SEE_DAG},
    f"{LETTERS}/<uuid:key>/replay": {"POST": RUN_DAG},
    f"{LETTERS}/<uuid:key>/drop": {"POST": (401, 404, 403, 204, 204, 204)},
    "api/v1/import-errors": {"GET": LIST},
    "api/v1/import-errors/<uuid:key>": {"GET": SEE_DAG},
    "api/v1/approvals": {"GET": LIST},
    "api/v1/approvals/<uuid:approval>": {"GET": SEE_DAG},
    "api/v1/approvals/<uuid:approval>/decide": {"POST": (401, 404, 403, 400, 400, 400)},
    f"{RUN}/artifacts": {"GET": SEE_DAG},
    "api/v1/artifacts/<uuid:key>": {"GET": SEE_DAG},
    "api/v1/artifacts/<uuid:key>/content": {"GET": (401, 404, 503, 503, 503, 503)},
    f"{RUN}/asset-events": {"GET": SEE_DAG},
    f"{DAG}/waiting-asset-events": {"GET": SEE_DAG},
    "api/v1/assets": {"GET": LIST},
    "api/v1/assets/events": {"GET": LIST, "POST": (401, 403, 403, 400, 400, 400)},
    "api/v1/state": {"GET": LIST},
    "api/v1/state/entry": {
        "GET": (401, 400, 400, 400, 400, 400),
        "PUT": (401, 400, 400, 400, 400, 400),
        "DELETE": (401, 400, 400, 400, 400, 400),
    },
    "api/v1/schemas/dag": {"GET": LIST},
    "api/v1/pools": {"GET": SEE_OPERATIONS, "POST": (401, 403, 403, 403, 403, 400)},
    "api/v1/pools/<name:name>": {
        "GET": SEE_OPERATIONS,
        "PUT": (401, 403, 403, 403, 403, 400),
        "PATCH": (401, 403, 403, 403, 403, 200),
        "DELETE": (401, 403, 403, 403, 403, 204),
    },
    "api/v1/workers": {"GET": SEE_OPERATIONS},
    "api/v1/connections": {"GET": KEEP_SECRETS, "POST": WRITE_SECRETS},
    "api/v1/connections/<name:conn_id>": {
        "GET": KEEP_SECRETS,
        "PUT": WRITE_SECRETS,
        "PATCH": KEEP_SECRETS,
        "DELETE": (401, 403, 403, 403, 403, 204),
    },
    "api/v1/connections/<name:conn_id>/test": {"POST": KEEP_SECRETS},
    "api/v1/variables": {"GET": KEEP_SECRETS, "POST": WRITE_SECRETS},
    "api/v1/variables/<name:key>": {
        "GET": KEEP_SECRETS,
        "PUT": WRITE_SECRETS,
        "PATCH": KEEP_SECRETS,
        "DELETE": (401, 403, 403, 403, 403, 204),
    },
    "api/v1/openapi.json": {"GET": LIST},
}

#: Pages for browsers: 302 leads to the login. Flower is not part of the tests' installation.
PAGES: dict[str, Row] = {
    "admin/login/": (200, 200, 200, 200, 200, 200),
    "api/v1/docs": READ_PAGE,
    "api/v1/redoc": READ_PAGE,
    "flower/": (302, 403, 403, 403, 403, 503),
    "flower/<path:path>": (302, 403, 403, 403, 403, 503),
    "health": (200, 200, 200, 200, 200, 200),
}

#: Their addresses are gone through in tests/web/test_pages.py and test_acting.py.
UI = [import_module(f"{app}.web.urls") for app in ("skytrail", "dags_app", "runs_app")]

ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

PLACES = {
    "<name:dag_id>": "story",
    "<run:run_id>": "first",
    "<name:task_id>": "extract",
    "<int:number>": "1",
    "<int:other>": "1",
    "<name:name>": "presses",
    "<name:conn_id>": "dwh",
    "<name:key>": "region",
    "<path:path>": "tasks",
}


def addresses() -> Iterator[str]:
    """Every address but the admin's and the pages', which have tests of their own in tests/web."""

    def below(patterns: list[Any], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            here = prefix + str(pattern.pattern)
            if getattr(pattern, "urlconf_name", None) in UI:
                continue
            if isinstance(pattern, URLResolver) and here != "admin/":
                yield from below(pattern.url_patterns, here)
            elif isinstance(pattern, URLPattern):
                yield here

    return below(get_resolver().url_patterns, "")


def concrete(address: str) -> str:
    """The address with something in each place that exists in the tests."""
    for place, value in PLACES.items():
        address = address.replace(place, value)
    return f"/{address}"


@pytest.fixture
def clients(
    db: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> dict[str, CheckedClient]:
    """A client for each of PEOPLE, and one of each kind of thing to try things on."""
    run = told()
    monkeypatch.setitem(PLACES, "backfills/<uuid:key>", f"backfills/{_backfill()}")
    monkeypatch.setitem(PLACES, "import-errors/<uuid:key>", f"import-errors/{import_error().pk}")
    monkeypatch.setitem(PLACES, "artifacts/<uuid:key>", f"artifacts/{_artifact(run)}")
    monkeypatch.setitem(PLACES, "<uuid:key>", str(dead_letter("other").pk))
    monkeypatch.setitem(PLACES, "<uuid:approval>", str(asked(task(run, "load")).pk))
    Pool.objects.create(name="presses", slots=2)
    keeping.keep_connection(ConnectionValue(conn_id="dwh", conn_type="http"))
    keeping.keep_variable("region", "north")
    names = [name for name in PEOPLE if name != "nobody"]
    users = {name: request.getfixturevalue(name) for name in names}
    return {"nobody": checked_client(None)} | {
        name: checked_client(user) for name, user in users.items()
    }


def _backfill() -> UUID:
    """A backfill that has not begun."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    request = backfilling.BackfillRequest(from_date=day, to_date=day)
    dag = save_dag({"a": []}, name="late", cron="@daily")
    key: UUID = backfilling.create(dag, request, actor="user:alice").pk
    return key


def _artifact(run: DagRun) -> UUID:
    """An artifact whose content is not there."""
    kept = Artifact.objects.create(
        task_run=task(run, "load"),
        epoch=1,
        name="a",
        media_type="a/b",
        key="no/such/thing",
        is_output=False,
        size=0,
        stored_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    key: UUID = kept.pk
    return key


def test_every_address_has_its_row() -> None:
    assert set(addresses()) == MATRIX.keys() | PAGES.keys()


@pytest.mark.parametrize("address", MATRIX)
def test_rest(address: str, clients: dict[str, CheckedClient]) -> None:
    for method in ALL_METHODS:
        found = [_status(clients[name], method, concrete(address)) for name in PEOPLE]
        # Who is not logged in is not even told which methods there are.
        expected = MATRIX[address].get(method, (401, 405, 405, 405, 405, 405))
        assert tuple(found) == expected, f"{method} {address}, asked by {', '.join(PEOPLE)}"


def _status(client: CheckedClient, method: str, address: str) -> int:
    """What `client` gets; whatever it has done is undone."""
    with transaction.atomic():
        answer = client.generic(method, address)
        transaction.set_rollback(True)
    return int(answer.status_code)


@pytest.mark.parametrize("address", PAGES)
def test_pages(address: str, clients: dict[str, CheckedClient]) -> None:
    found = []
    for name in PEOPLE:
        browser = Client()
        if name != "nobody":
            browser.login(username=name, password=f"{name}'s password")
        found.append(browser.get(concrete(address)).status_code)
    assert tuple(found) == PAGES[address]


def test_an_account_that_is_switched_off_is_nobody_whatever_its_token(
    clients: dict[str, CheckedClient],
) -> None:
    fired = _user("fired", is_superuser=True)
    client = checked_client(fired)
    fired.is_active = False
    fired.save()
    for address, methods in MATRIX.items():
        for method in methods.keys() - {"POST" if address.endswith("auth/token") else ""}:
            answer = client.generic(method, concrete(address))
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "account_inactive"
