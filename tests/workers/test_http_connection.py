"""http tasks and sensors that use a connection: where they go, and what they send to whom."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from skytrail.sdk import DAG, Http
from skytrail.security.secrets.values import ConnectionValue
from skytrail.testing import run_dag
from tests.workers.calls import Bench
from tests.workers.pages import Page, Site, serving
from workers.executors.http_connection import AtHomeOnly, Website
from workers.local.services import GivenSecrets, services

CANARY = "s3cret-canary"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        site.pages["/v1/rows"] = Page(200, b"[1]", {"Content-Type": "application/json"})
        yield site


@pytest.fixture
def elsewhere() -> Iterator[Site]:
    with serving() as site:
        site.pages["/there"] = Page(200)
        yield site


def ask(
    bench: Bench, type_: str = "http", *, connection: Mapping[str, Any], **fields: Any
) -> Outcome:
    """What becomes of a task that uses the connection `shop`."""
    given = GivenSecrets({"shop": ConnectionValue.from_json("shop", connection)})
    bench.services = services(lambda: datetime.now(UTC), given)
    outcome = bench.run(type_, conn_id="shop", **fields)
    assert CANARY not in f"{bench.log}{outcome.message}"
    return outcome


def to(site: Site, **fields: Any) -> dict[str, Any]:
    return {"conn_type": "http", "host": "127.0.0.1", "port": site.port, **fields}


@pytest.mark.parametrize("type_", ["http", "http_sensor"])
@pytest.mark.parametrize("uri", ["rows", "/rows", "/rows?page=2"])
def test_a_path_is_below_where_the_connection_leads(
    bench: Bench, site: Site, type_: str, uri: str
) -> None:
    outcome = ask(bench, type_, connection=to(site, schema="v1"), uri=uri)
    assert outcome.state is TaskState.SUCCESS, outcome
    assert outcome.output["json"] == [1]
    assert site.requests[-1].path == "/v1" + ("/rows" if uri == "rows" else uri)


def test_login_token_and_headers_are_sent(bench: Bench, site: Site) -> None:
    login = to(site, login="me", password=CANARY, extra={"headers": {"X-Shop": 7}})
    ask(bench, connection=login, uri="/v1/rows")
    sent = site.requests[-1].headers
    basic = base64.b64encode(f"me:{CANARY}".encode()).decode()
    assert (sent["Authorization"], sent["X-Shop"]) == (f"Basic {basic}", "7")
    ask(bench, connection=to(site, extra={"token": CANARY}), uri="/v1/rows")
    assert site.requests[-1].headers["Authorization"] == f"Bearer {CANARY}"


def test_what_the_task_says_itself_counts_more(bench: Bench, site: Site) -> None:
    connection = to(site, extra={"headers": {"X-Shop": "theirs"}})
    ask(bench, connection=connection, uri="/v1/rows", headers={"x-shop": "mine"})
    assert site.requests[-1].headers["x-shop"] == "mine"


@pytest.mark.parametrize("code", [301, 307])
def test_a_redirect_to_another_place_is_told_no_secret(
    bench: Bench, site: Site, elsewhere: Site, code: int
) -> None:
    site.pages["/v1/away"] = Page(code, headers={"Location": elsewhere.url("/there")})
    connection = to(
        site, login="me", password=CANARY, extra={"headers": {"X-Api-Key": CANARY, "X-Shop": "7"}}
    )
    outcome = ask(
        bench, connection=connection, uri="/v1/away", headers={"X-My-Token": CANARY, "X-Mine": "1"}
    )
    assert outcome.state is TaskState.SUCCESS, outcome
    assert {"X-Api-Key", "X-My-Token", "Authorization"} <= site.requests[-1].headers.keys()
    told = elsewhere.requests[-1].headers
    assert CANARY not in str(told)
    assert "X-Shop" not in told
    assert told["X-Mine"] == "1"


def _tried(site: Site, **fields: Any) -> Any:
    """What becomes of a task whose templates are given the secret."""
    with DAG("asking") as dag:
        Http("ask", conn_id="shop", uri="/v1/away", **fields)
    result = run_dag(dag, connections={"shop": f"http://me:{CANARY}@127.0.0.1:{site.port}"})
    assert CANARY not in f"{result!r}{result['ask'].rendered}"
    return result["ask"]


@pytest.mark.usefixtures("bench")
def test_a_header_with_a_secret_stays_whatever_it_is_called(site: Site, elsewhere: Site) -> None:
    site.pages["/v1/away"] = Page(302, headers={"Location": elsewhere.url("/there")})
    task = _tried(site, headers={"X-Who": "{{ conn.shop.password }}", "X-Mine": "1"})
    assert task.state is TaskState.SUCCESS, task
    assert site.requests[-1].headers["X-Who"] == CANARY
    assert CANARY not in str(elsewhere.requests[-1].headers)
    assert elsewhere.requests[-1].headers["X-Mine"] == "1"
    where = f"http://127.0.0.1:{elsewhere.port}"
    assert f"redirected to {where}, without authorization, x-who" in task.log


@pytest.mark.usefixtures("bench")
@pytest.mark.parametrize("body", [{"json": {"pw": "{{ conn.shop.password }}"}}, {"body": "pw={{ conn.shop.password }}"}])  # fmt: skip # noqa: E501
def test_a_body_with_a_secret_is_not_sent_on(site: Site, elsewhere: Site, body: Any) -> None:
    site.pages["/v1/away"] = Page(307, headers={"Location": elsewhere.url("/there")})
    task = _tried(site, method="POST", **body)
    assert task.state is TaskState.FAILED
    assert "the body of the request holds a secret" in task.error
    assert CANARY in site.requests[-1].body.decode()
    assert not elsewhere.requests
    assert _tried(site, method="POST", json={"a": 1}).state is TaskState.SUCCESS
    assert elsewhere.requests[-1].body == b'{"a":1}'


@pytest.mark.parametrize("to", ["http://shop.example.org/", "https://shop.example.org:8443/"])
def test_the_same_host_without_tls_or_at_another_port_is_another_place(to: str) -> None:
    home = httpx.URL("https://shop.example.org/")
    hook = AtHomeOnly(home, Website(home, {"Authorization": "Bearer x", "X-Shop": "7"}))
    first, second = httpx.Request("GET", home), httpx.Request("GET", to, headers={"X-Shop": "7"})
    hook(first)
    hook(second)
    assert {"authorization", "x-shop"} <= first.headers.keys()
    assert not {"authorization", "x-shop"} & second.headers.keys()


def test_a_redirect_that_stays_is_told_all(bench: Bench, site: Site) -> None:
    site.pages["/v1/moved"] = Page(302, headers={"Location": "/v1/rows"})
    ask(bench, connection=to(site, login="me", password=CANARY), uri="/v1/moved")
    assert site.requests[-1].path == "/v1/rows"
    assert "Authorization" in site.requests[-1].headers


@pytest.mark.parametrize("uri", ["/go/http://x", "go/http://x"])
def test_a_path_may_have_an_address_in_it(bench: Bench, site: Site, uri: str) -> None:
    site.pages["/a%2Fb/go/http://x"] = Page(200)
    connection = {"conn_type": "http", "host": f"http://127.0.0.1:{site.port}/a%2Fb"}
    assert ask(bench, connection=connection, uri=uri).state is TaskState.SUCCESS


def test_a_whole_address_has_to_be_at_the_same_place(
    bench: Bench, site: Site, elsewhere: Site
) -> None:
    connection = to(site, login="me", password=CANARY)
    assert ask(bench, connection=connection, uri=site.url("/v1/rows")).state is TaskState.SUCCESS
    outcome = ask(bench, connection=connection, uri=elsewhere.url("/there"))
    assert (outcome.reason, outcome.may_retry) == ("bad_connection", False)
    assert "write a path, or leave conn_id out" in outcome.message
    assert not elsewhere.requests


@pytest.mark.parametrize("uri", ["//127.0.0.2/x", "@127.0.0.2/x", "/@127.0.0.2", "\\127.0.0.2"])
def test_no_path_leads_elsewhere(bench: Bench, site: Site, uri: str) -> None:
    for path in ("/127.0.0.2/x", "/@127.0.0.2/x", "/@127.0.0.2", "/%5C127.0.0.2", "/\\127.0.0.2"):
        site.pages[path] = Page(200)
    assert ask(bench, connection=to(site), uri=uri).state is TaskState.SUCCESS


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({"conn_type": "postgresql", "host": "x"}, "of type postgresql"),
        ({"conn_type": "http", "host": "http://x:y"}, "make no usable address"),
        ({"conn_type": "http", "host": "x", "extra": {"headers": "y"}}, "no object of headers"),
        ({"conn_type": "http", "host": "x", "extra": {"token": f"{CANARY}\n"}}, "extra.token"),
        ({"conn_type": "http", "host": "x", "extra": {"token": f"é{CANARY}"}}, "plain ASCII"),
        ({"conn_type": "http", "host": "x", "extra": {"headers": {"A b": "1"}}}, "'A b'"),
        ({"conn_type": "http", "host": "x", "extra": {"headers": {"A": "1\r\nB: 2"}}}, "headers.A"),
    ],
)
def test_a_connection_of_no_use_says_why(
    bench: Bench, connection: dict[str, Any], words: str
) -> None:
    outcome = ask(bench, connection=connection, uri="/x")
    assert (outcome.reason, outcome.may_retry) == ("bad_connection", False)
    assert words in outcome.message


def test_a_connection_that_is_not_there_says_so(bench: Bench) -> None:
    outcome = bench.run("http", conn_id="nowhere", uri="/x")
    assert outcome.reason == "no_connection"
    assert "SKYTRAIL_CONN_NOWHERE" in outcome.message


def test_a_run_that_is_tried_is_given_one(site: Site, bench: Bench) -> None:
    with DAG("asking") as dag:
        Http("rows", conn_id="shop", uri="/v1/{{ 'rows' }}")
    result = run_dag(dag, connections={"shop": f"http://me:{CANARY}@127.0.0.1:{site.port}"})
    assert result["rows"].output["json"] == [1]
    assert "Authorization" in site.requests[-1].headers
