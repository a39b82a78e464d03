"""Has a worker try a connection: it is where the tasks are that use it, with their network, their
environment and their files; and a web process opens no connection to wherever somebody says.

A message takes the name there, a list in Redis brings the answer back. Both are gone soon.
"""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from typing import Any
from uuid import uuid4

import redis
from celery import shared_task
from django.conf import settings
from django.utils.module_loading import import_string

from skytrail.security.secrets.testing import NobodyTested, Tested
from workers import names
from workers.broker.line import BrokerAway, line
from workers.reaching.trying import LIMIT, try_connection

#: Whoever takes the message later than this, in seconds, leaves it alone: nobody waits any more.
_TAKEN_WITHIN = 5

_WAIT = LIMIT + _TAKEN_WITHIN + 1

#: How long an answer is kept, in seconds.
_KEPT = 60


class WorkerTester:
    """See `skytrail.security.secrets.testing.Tester`."""

    def try_here(self, conn_id: str) -> Tested:
        return try_connection(conn_id)

    def try_in_worker(self, conn_id: str, *, queue: str) -> Tested:
        key = f"skytrail:connection-test:{uuid4()}"
        app: Any = import_string(settings.SKYTRAIL_CELERY_APP)
        send = partial(
            app.send_task,
            names.TEST_CONNECTION,
            args=[conn_id, key],
            queue=queue,
            priority=0,
            expires=_TAKEN_WITHIN,
            argsrepr=repr((conn_id,)),
        )
        try:
            line.over(send)
            with _client() as client:
                answer: Any = client.blpop([key], timeout=_WAIT)
        except (BrokerAway, redis.RedisError):
            answer = None
        if answer is None:
            raise NobodyTested(queue=queue, seconds=f"{_WAIT:g}")
        return Tested(**json.loads(answer[1]))


@shared_task(name=names.TEST_CONNECTION, bind=True)
def tell(self: Any, conn_id: str, key: str) -> str:
    """Tries the connection, and puts the answer where somebody waits for it."""
    tested = dataclasses.replace(try_connection(conn_id), where=self.request.hostname or "a worker")
    with _client() as client, client.pipeline() as pipeline:
        pipeline.rpush(key, json.dumps(dataclasses.asdict(tested)))
        pipeline.expire(key, _KEPT)
        pipeline.execute()
    return tested.status


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.SKYTRAIL_REDIS_URL, socket_connect_timeout=2, socket_timeout=_WAIT + 1
    )
