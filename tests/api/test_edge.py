"""Huge bodies are turned away at the door, before they are read."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import bearer
from tests.api.processes import Web
from tests.conftest import _user

MEGABYTE = 1_048_576


@pytest.fixture
def author(committing: None) -> dict[str, str]:
    """The headers of somebody who may save DAGs."""
    return {
        "Authorization": bearer(_user("ada", "dags_app.add_dag", "dags_app.view_dag")),
        "Content-Type": "application/json",
    }


def pieces(count: int) -> Iterator[bytes]:
    """A string of so many megabytes that never says how long it is."""
    yield b'"'
    for _ in range(count):
        yield b"x" * MEGABYTE


def memory_of(pid: int) -> int:
    """What a process has in memory, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError


def announced(web: Web, path: str, length: int) -> http.client.HTTPResponse:
    """What the server says to whoever announces a body, and sends none of it."""
    connection = http.client.HTTPConnection(web.host, web.port, timeout=10)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    return connection.getresponse()


def test_a_body_that_says_it_is_huge_is_not_waited_for(web: Web) -> None:
    answer = announced(web, "/api/v1/dags", 1_000_000_000_000)
    assert answer.status == 413
    assert answer.headers["Connection"] == "close"
    error = json.load(answer)["error"]
    assert error["code"] == "document_too_large"
    assert "1,048,576 bytes" in error["message"]


def test_a_body_that_does_not_say_how_long_it_is_is_counted(
    web: Web, author: dict[str, str]
) -> None:
    httpx.post(f"{web.url}/api/v1/dags", headers=author, content=b"{}", timeout=10)
    before = memory_of(web.pid)
    try:
        answer = httpx.post(
            f"{web.url}/api/v1/dags", headers=author, content=pieces(100), timeout=20
        )
    except httpx.WriteError:
        pytest.fail("the server hung up before its answer could be read")
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "document_too_large"
    assert memory_of(web.pid) - before < 30 * MEGABYTE


def test_what_is_just_small_enough_is_read(web: Web, author: dict[str, str]) -> None:
    document = json.dumps({"name": "big", "tasks": [{"id": "a"}], "nothing": ""})
    padded = document[:-2] + "x" * (MEGABYTE - len(document)) + document[-2:]
    answer = httpx.post(f"{web.url}/api/v1/dags", headers=author, content=padded, timeout=10)
    assert len(padded) == MEGABYTE
    assert answer.status_code == 400
    assert answer.json()["error"]["problems"][0]["path"] == "nothing"


def test_whoever_is_not_logged_in_is_measured_too(web: Web) -> None:
    answer = httpx.post(f"{web.url}/api/v1/auth/token", content=pieces(3), timeout=10)
    assert answer.status_code == 413


def test_forms_have_a_limit_of_their_own(web: Web) -> None:
    assert announced(web, "/admin/login/", 8 * MEGABYTE + 1).status == 413


def test_the_server_goes_on_as_if_nothing_had_been(web: Web) -> None:
    assert httpx.get(f"{web.url}/health", timeout=10).status_code == 200
