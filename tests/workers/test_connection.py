"""A worker that has lost its connection to Redis goes on with another one."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from chaos.proxy import Proxy
from skytrail.celery import app


@pytest.fixture
def delivered(settings: Settings) -> Any:
    """A message whose connection broke, and was given up as Celery's workers give it up."""
    server = urlsplit(settings.SKYTRAIL_REDIS_URL)
    assert server.port is not None
    with Proxy(server.port) as proxy:
        who = f"{server.netloc.rpartition('@')[0]}@" if "@" in server.netloc else ""
        url = server._replace(netloc=f"{who}127.0.0.1:{proxy.port}").geturl()
        connection = app.connection_for_read(url)
        queue = connection.SimpleQueue(f"test-{uuid.uuid4()}")
        queue.put({})
        message = queue.get(timeout=10)
        proxy.refuse()
        with contextlib.suppress(*connection.connection_errors):
            connection.collect()
        connection.close()
        return message


@pytest.mark.parametrize(
    "say",
    [
        lambda message: message.ack(),
        lambda message: message.reject(),
        lambda message: message.reject(requeue=True),
    ],
    ids=["acknowledged", "rejected", "given back"],
)
def test_a_message_outlives_its_connection(delivered: Any, say: Callable[[Any], None]) -> None:
    say(delivered)
    assert delivered.acknowledged
