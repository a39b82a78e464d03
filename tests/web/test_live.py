"""Streams of moves, from the real web process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.contrib.auth.models import User

from runs_app.models import DagRun
from runs_app.web.live import BadTopic, Topics
from tests.api.processes import Web
from tests.api.stories import begin, end
from tests.factories import save_dag, start_run, task
from tests.web.ui import session_of

pytestmark = pytest.mark.usefixtures("committing")

#: More than a web process has connections to its database.
MANY = 30


@pytest.fixture
def client(web: Web, committing: None) -> Iterator[httpx.Client]:
    """Of somebody who may see everything."""
    cookies = {"sessionid": session_of(User.objects.create_superuser("admin"))}
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=web.url, cookies=cookies, timeout=20, limits=limits) as client:
        yield client


class Stream:
    """One open page."""

    def __init__(self, stack: ExitStack, client: httpx.Client, *topics: str) -> None:
        query = {"topic": list(topics)}
        self.answer = stack.enter_context(client.stream("GET", "/events/", params=query))
        assert self.answer.status_code == 200
        self._lines = self.answer.iter_lines()
        assert next(self._lines).startswith("retry")

    def next(self) -> dict[str, Any]:
        """The next moves that are told."""
        for line in self._lines:
            if line.startswith("data: "):
                told: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return told
        raise AssertionError("the stream has ended")


def told(stream: Stream, key: object, state: str) -> bool:
    """Waits until the stream says that something is in a state."""
    while True:
        moves = stream.next()
        if [str(key), state] in moves["runs"] + moves["tasks"]:
            return True


def test_moves_of_a_run_and_its_tasks_are_told(client: httpx.Client) -> None:
    run = start_run(save_dag({"a": []}))
    with ExitStack() as stack:
        stream = Stream(stack, client, f"run:{run.pk}")
        execution = begin(run, "a")
        assert told(stream, task(run, "a").pk, "running")
        end(execution, None)
        assert told(stream, task(run, "a").pk, "success")


def test_a_page_hears_only_what_it_has_asked_about(client: httpx.Client) -> None:
    one, two = save_dag({"a": []}, name="one"), save_dag({"a": []}, name="two")
    with ExitStack() as stack:
        of_one = Stream(stack, client, f"dag:{one.pk}")
        of_all = Stream(stack, client, "runs")
        other, mine = start_run(two), start_run(one)
        assert told(of_all, other.pk, "running")
        first = of_one.next()
        assert first == {"runs": [[str(mine.pk), "running"]], "tasks": [], "open": 2}


def test_what_has_happened_just_before_is_told_too(client: httpx.Client) -> None:
    run = start_run(save_dag({"a": []}))
    with ExitStack() as stack:
        stream = Stream(stack, client, "runs")
        assert told(stream, run.pk, "running")
        # One who comes later, while somebody is looking on.
        assert told(Stream(stack, client, "runs"), run.pk, "running")


def test_open_pages_keep_no_connection_to_the_database(client: httpx.Client) -> None:
    run = start_run(save_dag({"a": []}), run_id="first")
    with ExitStack() as stack:
        streams = [Stream(stack, client, f"run:{run.pk}") for _ in range(MANY)]
        assert client.get("/runs/").status_code == 200
        begin(run, "a")
        assert all(told(stream, task(run, "a").pk, "running") for stream in streams)
    assert DagRun.objects.get().state == "running"


def test_topics_are_read_strictly() -> None:
    run, dag = uuid4(), uuid4()
    topics = Topics.read([f"run:{run}", f"dag:{dag}", "runs"])
    assert topics == Topics(frozenset({run}), frozenset({dag}), all_runs=True)
    for word in ("run", "run:", f"task:{run}", "all", f"run:{run}x"):
        with pytest.raises(BadTopic):
            Topics.read([word])
