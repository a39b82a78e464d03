"""Flower behind the login: a real Flower, and nothing that changes anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.api.processes import started_flower

LOGIN = "skytrail:only for the tests"

TABLE = {
    "draw": "1",
    "start": "0",
    "length": "10",
    "order[0][column]": "0",
    "order[0][dir]": "asc",
    "columns[0][data]": "name",
    "search[value]": "",
}


@pytest.fixture(scope="session")
def flower_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running Flower."""
    with started_flower(tmp_path_factory.mktemp("flower"), login=LOGIN) as url:
        yield url


@pytest.fixture
def flower(flower_url: str, settings: Settings) -> str:
    """A running Flower that the web knows of."""
    settings.SKYTRAIL_FLOWER_URL = flower_url
    settings.SKYTRAIL_FLOWER_BASIC_AUTH = LOGIN
    return flower_url


@pytest.fixture
def browser(admin: User) -> Client:
    """Of a member of staff."""
    browser = Client()
    browser.force_login(admin)
    return browser


def test_by_itself_it_lets_nobody_in(flower: str) -> None:
    assert httpx.get(f"{flower}/flower/workers").status_code == 401


def test_whoever_is_not_logged_in_comes_to_the_login(flower: str, db: None) -> None:
    answer = Client().get("/flower/workers")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/admin/login/?next=/flower/workers"


def test_it_is_for_staff(flower: str, bob: User) -> None:
    browser = Client()
    browser.force_login(bob)
    answer = browser.get("/flower/workers")
    assert answer.status_code == 403
    assert answer.content == b"Flower is for staff. Ask an administrator to make you a member."


@pytest.mark.parametrize("page", ["", "workers", "tasks", "broker"])
def test_its_pages_are_shown_and_lead_to_pages_behind_the_login(
    page: str, flower: str, browser: Client
) -> None:
    answer = browser.get(f"/flower/{page}")
    assert answer.status_code == 200
    text = answer.content.decode()
    links = re.findall(r"""(?:href|src)=["']([^"'#]+)["']""", text)
    local = [link for link in links if not link.startswith("http")]
    assert local
    assert all(link.startswith("/flower") for link in local), local
    loaded = re.findall(r"""(?:src|<link[^>]*href)=["']([^"']+)["']""", text)
    assert not [link for link in loaded if link.startswith("http")], "nothing from elsewhere"


def test_what_its_pages_load_is_there(flower: str, browser: Client) -> None:
    text = browser.get("/flower/workers").content.decode()
    for address in re.findall(r"""["'](/flower/static/[^"']+)["']""", text):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert answer.content
    script = browser.get("/flower/static/js/flower.js")
    assert script.headers["Content-Type"].startswith(("text/javascript", "application/javascript"))
    again = browser.get(
        "/flower/static/js/flower.js", headers={"If-None-Match": script.headers["ETag"]}
    )
    assert again.status_code == 304


def test_its_lists_answer(flower: str, browser: Client) -> None:
    assert "data" in browser.get("/flower/workers?json=1").json()
    assert browser.get("/flower/api/tasks").json() == {}


def test_the_table_of_tasks_is_asked_with_post_and_answered(flower: str, browser: Client) -> None:
    answer = browser.post("/flower/tasks/datatable", TABLE)
    assert answer.status_code == 200
    assert answer.json()["recordsTotal"] == 0


MUTATING = [
    "api/worker/shutdown/a",
    "api/worker/pool/restart/a",
    "api/worker/pool/grow/a",
    "api/worker/pool/shrink/a",
    "api/worker/pool/autoscale/a",
    "api/worker/queue/add-consumer/a",
    "api/worker/queue/cancel-consumer/a",
    "api/task/apply/a",
    "api/task/async-apply/a",
    "api/task/send-task/a",
    "api/task/abort/a",
    "api/task/timeout/a",
    "api/task/rate-limit/a",
    "api/task/revoke/a",
]


@pytest.mark.parametrize("path", MUTATING)
def test_nothing_that_changes_anything_is_passed_on(
    path: str, flower: str, browser: Client
) -> None:
    assert browser.post(f"/flower/{path}").status_code == 405
    assert browser.get(f"/flower/{path}").status_code == 405, "Flower itself takes only POST"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["", "workers", "login", "tasks/datatable/x"])
def test_only_reading_is_passed_on(method: str, path: str, flower: str, browser: Client) -> None:
    answer = getattr(browser, method)(f"/flower/{path}")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "../admin/",
        "%2e%2e/%2e%2e/etc/passwd",
        "static/../../../../../../etc/passwd",
        "static/%2e%2e/%2e%2e/__init__.py",
        "worker/a%3Fb%23c",
        "worker/%0d%0aX:%20y",
        "worker/%F0%9F%9A%82",
    ],
)
def test_no_path_leads_out_of_it(path: str, flower: str, browser: Client) -> None:
    answer = browser.get(f"/flower/{path}")
    assert answer.status_code in {302, 400, 403, 404}
    assert b"root:" not in answer.content
    assert "X" not in answer.headers


def test_neither_side_sees_the_others_secrets(flower: str, browser: Client) -> None:
    answer = browser.get("/flower/workers", headers={"Connection": "X-Secret", "X-Secret": "1"})
    assert "set-cookie" not in {name.lower() for name in answer.headers}
    assert not answer.cookies
    for name in ("Connection", "Keep-Alive", "Transfer-Encoding", "Server", "WWW-Authenticate"):
        assert name not in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_question_cannot_smuggle_another_one_in(flower: str, browser: Client) -> None:
    answer = browser.post(
        "/flower/tasks/datatable",
        b"a HTTP/1.1\r\n\r\nPOST /flower/api/worker/shutdown/a HTTP/1.1\r\n\r\n",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 400, "Flower misses the parameters of its table"


def test_a_question_without_end_is_refused(flower: str, browser: Client) -> None:
    assert browser.get(f"/flower/tasks?search={'x' * 40_000}").status_code == 414


def test_when_it_is_away_the_page_says_so(browser: Client, settings: Settings) -> None:
    settings.SKYTRAIL_FLOWER_URL = "http://127.0.0.1:1"
    answer = browser.get("/flower/")
    assert answer.status_code == 503
    assert "still be starting" in answer.content.decode()


def test_where_there_is_none_the_page_says_so(browser: Client, settings: Settings) -> None:
    settings.SKYTRAIL_FLOWER_URL = None
    answer = browser.get("/flower/")
    assert answer.status_code == 503
    assert "not part of this installation" in answer.content.decode()
