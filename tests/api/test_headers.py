"""What browsers are told, which form answers have, and pages that load nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client

from tests.api.checking import CheckedClient
from tests.api.stories import told


@pytest.mark.parametrize("address", ["dags", "dags/nothing", "runs?state=x"])
def test_answers_are_for_nobody_else_and_no_pages(address: str, as_bob: CheckedClient) -> None:
    headers = as_bob.get(address).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    "accept", ["*/*", "text/html", "application/xml", "image/png", "text/plain;q=0.5", "nonsense"]
)
def test_every_address_has_one_form_whatever_is_accepted(
    accept: str, as_bob: CheckedClient
) -> None:
    for address in ("dags", "dags/nothing"):
        answer = as_bob.get(address, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json"


def test_a_method_that_is_not_there_names_those_that_are(as_bob: CheckedClient) -> None:
    told()
    answer = as_bob.put("dags/story/runs/first", {})
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json()["error"]["message"].endswith("This address takes GET, PATCH, HEAD.")


def test_head_is_get_without_a_body(as_bob: CheckedClient) -> None:
    told()
    answer = as_bob.head("dags/story")
    assert answer.status_code == 200
    assert answer.content == b""


def test_a_host_that_is_not_allowed_is_told_in_the_one_shape(as_bob: CheckedClient) -> None:
    answer = as_bob.get("dags", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"


# ---------------------------------------------------------------- the pages of the documentation


class Loaded(HTMLParser):
    """The addresses that a page loads things from, and the scripts that stand in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_script = tag == "script"
        wanted = (given.get("src"), given.get("href"), given.get("spec-url"))
        self.addresses += [address for address in wanted if address]

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.scripts.append(data)


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_the_pages_load_everything_from_here(page: str, bob: User) -> None:
    browser = Client()
    browser.force_login(bob)
    answer = browser.get(f"/api/v1/{page}")
    loaded = Loaded(answer.content.decode())
    assert loaded.addresses
    assert loaded.scripts == [], "the policy would not let them run"
    for address in loaded.addresses:
        assert address.startswith("/"), address
        if found := re.fullmatch(r"/static/(.+)", address):
            assert finders.find(found[1]), f"{address} is there"
        else:
            assert browser.get(address).status_code == 200, f"{address} is there"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy


def test_swagger_sends_the_csrf_token(bob: User) -> None:
    browser = Client()
    browser.force_login(bob)
    script = browser.get("/api/v1/docs?script=").content.decode()
    assert "X-CSRFTOKEN" in script
    assert 'url: "/api/v1/openapi.json"' in script
