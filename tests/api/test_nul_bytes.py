"""NUL in every place where one can be: an error that names the place, and never a traceback."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.api.checking import CheckedClient
from tests.api.processes import Web
from tests.api.stories import problems_of, told


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("dags/%00", "path"),
        ("dags/story%00/runs", "path"),
        ("dags?q=%00", "query.q"),
        ("dags?tag=a%00b", "query.tag"),
        ("runs?%00=1", "query.\\0"),
        ("runs?cursor=%00", "query.cursor"),
        ("runs?dag_id=%00", "query.dag_id"),
        ("docs?%00", "query.\\0"),
    ],
)
def test_in_the_address(address: str, place: str, as_bob: CheckedClient) -> None:
    told()
    answer = as_bob.get(address)
    assert answer.status_code == 400
    assert problems_of(answer) == {place: "unstorable_text"}
    assert "%00" in answer.json()["error"]["problems"][0]["message"]


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Forwarded-For"])
def test_in_a_header(header: str, as_oscar: CheckedClient) -> None:
    told()
    answer = as_oscar.post("dags/story/runs", headers={header: "a\0b"})
    assert answer.status_code == 400
    assert problems_of(answer) == {f"headers.{header}": "unstorable_text"}


def test_in_a_token(db: None, as_nobody: CheckedClient) -> None:
    as_nobody.credentials(HTTP_AUTHORIZATION="Bearer sky_\0")
    assert problems_of(as_nobody.get("dags")) == {"headers.Authorization": "unstorable_text"}


@pytest.mark.parametrize("cookie", ["sessionid", "csrftoken", "other"])
@pytest.mark.parametrize("address", ["/api/v1/dags", "/admin/", "/health", "/flower/"])
def test_in_a_cookie_whose_escapes_are_read(cookie: str, address: str, db: None) -> None:
    answer = Client(headers={"Cookie": rf'{cookie}="aaaaaaaaaaaaaaaa\000bbbbbbbbbbbbbbb"'}).get(
        address
    )
    assert answer.status_code == 400
    assert f"cookies.{cookie}" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("dags/story/runs", {"conf": {"a": ["\0"]}}, "conf.a[0]"),
        ("dags/story/runs", {"run_id": "a\0"}, "run_id"),
        ("dags/story/runs", {"conf": {"a\0": 1}}, "conf"),
        ("dags/story/runs/first/clear", {"task_ids": ["\0"]}, "task_ids[0]"),
        ("pools", {"name": "\0", "slots": 1}, "name"),
        ("auth/token", {"username": "\0", "password": "x"}, "username"),
        ("dags", {"name": "a", "description": "\0", "tasks": [{"id": "a"}]}, "description"),
    ],
)
def test_in_a_body(path: str, body: dict[str, Any], place: str, as_admin: CheckedClient) -> None:
    told()
    answer = as_admin.post(path, body)
    assert answer.status_code == 400
    assert problems_of(answer) == {place: "unstorable_text"}


def test_raw_in_a_request_line_or_header_the_server_itself_refuses_it(web: Web) -> None:
    for request in (
        b"GET /api/v1/d\0gs HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    ):
        with socket.create_connection((web.host, web.port), timeout=5) as connection:
            connection.sendall(request)
            assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_in_a_password_it_is_a_wrong_password(bob: User) -> None:
    answer = Client().post("/admin/login/", {"username": "bob", "password": "a\0"})
    assert answer.status_code == 200
    assert "Null characters are not allowed." in answer.content.decode()
