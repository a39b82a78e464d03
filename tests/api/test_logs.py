"""Reading logs: as they stand, and while they grow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync

from skytrail.asgi import application
from tests.api.checking import CheckedClient
from tests.api.conftest import bearer
from tests.api.processes import Web
from tests.api.stories import begin, end, text_of, told, write
from tests.conftest import _user
from tests.conveyor import failing

LOGS = "dags/story/runs/first/tasks/extract/logs"


def test_a_log_is_plain_text_as_it_was_written(as_bob: CheckedClient) -> None:
    execution = begin(told(), "extract")
    write(execution, 0, "one\n")
    write(execution, 1, "zwölf 🚂 \u202eעברית\n<script>alert(1)</script>\n")
    answer = as_bob.get(LOGS, headers={"Accept": "text/plain"})
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert text_of(answer) == "one\nzwölf 🚂 \u202eעברית\n<script>alert(1)</script>\n"


def test_a_task_that_has_written_nothing_has_an_empty_log(as_bob: CheckedClient) -> None:
    told()
    assert text_of(as_bob.get(LOGS)) == ""


def test_each_try_has_its_own_log(as_bob: CheckedClient) -> None:
    run = told(tasks={"extract": {"retries": 1, "retry_delay_seconds": 0}})
    first = begin(run, "extract")
    write(first, 0, "the first\n")
    end(first, failing())
    assert text_of(as_bob.get(f"{LOGS}?attempt=1")) == "the first\n"
    assert text_of(as_bob.get(f"{LOGS}?attempt=2")) == ""
    assert text_of(as_bob.get(LOGS)) == "the first\n"


def test_a_long_log_comes_whole(as_bob: CheckedClient) -> None:
    execution = begin(told(), "extract")
    for number in range(50):
        write(execution, number, f"{number}\n" * 100)
    expected = "".join(f"{number}\n" * 100 for number in range(50))
    assert text_of(as_bob.get(LOGS)) == expected


def test_following_what_is_over_ends_at_once(as_bob: CheckedClient) -> None:
    run = told()
    execution = begin(run, "extract")
    write(execution, 0, "all of it\n")
    end(execution)
    assert text_of(as_bob.get(f"{LOGS}?follow=true")) == "all of it\n"


# ---------------------------------------------------------------- while it grows


@pytest.fixture
def reader(committing: None) -> dict[str, str]:
    """The headers of somebody who may read logs."""
    return {"Authorization": bearer(_user("rita", "dags_app.view_dag"))}


def test_following_streams_what_is_written_until_the_task_is_over(
    reader: dict[str, str], web: Web
) -> None:
    execution = begin(told(), "extract")
    write(execution, 0, "before\n")
    address = f"{web.url}/api/v1/{LOGS}?follow=true"
    with httpx.stream("GET", address, headers=reader, timeout=10) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines) == "before"
        for number in range(1, 4):
            write(execution, number, f"line {number}\n")
            assert next(lines) == f"line {number}", "it comes while the task runs"
        end(execution)
        assert list(lines) == []


def test_following_sees_the_next_try_too(reader: dict[str, str], web: Web) -> None:
    run = told(tasks={"extract": {"retries": 1, "retry_delay_seconds": 3600}})
    first = begin(run, "extract")
    write(first, 0, "the first\n")
    end(first, failing())
    address = f"{web.url}/api/v1/{LOGS}?follow=true"
    one = httpx.get(f"{address}&attempt=1", headers=reader, timeout=10)
    assert one.text == "the first\n", "of one try there is nothing more to come"
    with httpx.stream("GET", address, headers=reader, timeout=10) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "the first"


@pytest.mark.usefixtures("committing")
def test_whoever_hangs_up_is_followed_no_longer() -> None:
    """Asked of the application itself, which tells when it is done with a request."""
    authorization = bearer(_user("rita", "dags_app.view_dag"))
    write(begin(told(), "extract"), 0, "before\n")

    async def hang_up_after_the_first_piece() -> list[bytes]:
        pieces: list[bytes] = []
        has_come = asyncio.Event()
        questions = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            if question := next(questions, None):
                return question
            await has_come.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            if body := message.get("body"):
                pieces.append(body)
                has_come.set()

        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/api/v1/{LOGS}",
            "query_string": b"follow=true",
            "headers": [
                (b"host", b"localhost"),
                (b"authorization", authorization.encode()),
            ],
        }
        await asyncio.wait_for(application(scope, receive, send), timeout=10)
        return pieces

    assert async_to_sync(hang_up_after_the_first_piece)() == [b"before\n"]


def test_readers_who_wait_keep_no_connection_to_themselves(
    reader: dict[str, str], web: Web
) -> None:
    """More of them than the server has connections, and everybody else is served."""
    execution = begin(told(), "extract")
    write(execution, 0, "before\n")
    address = f"{web.url}/api/v1/{LOGS}?follow=true"
    with httpx.Client(headers=reader, timeout=10, limits=httpx.Limits()) as client:
        answers = []
        for _ in range(12):
            answer = client.send(client.build_request("GET", address), stream=True)
            answers.append(answer)
        readers = [answer.iter_lines() for answer in answers]
        assert [next(lines) for lines in readers] == ["before"] * 12
        assert client.get(f"{web.url}/api/v1/runs").status_code == 200
        write(execution, 1, "after\n")
        assert [next(lines) for lines in readers] == ["after"] * 12
        end(execution)
        for answer in answers:
            answer.close()
