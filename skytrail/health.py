"""Whether Skytrail can work: the one page that answers without a login."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import psycopg
import redis.asyncio
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

#: How long a part may take to answer, in seconds.
PATIENCE = 2.0


@require_safe
@login_not_required
async def health(request: HttpRequest) -> JsonResponse:
    """200 where the database and the broker answer, else 503; which of them does not.

    Both are asked at once and over connections of their own: that of a server that has been cut
    off would hang, and a pool may have none to give.
    """
    parts = {"database": _ask_database, "broker": _ask_broker}
    answers = dict(
        zip(parts, await asyncio.gather(*(_answers(ask) for ask in parts.values())), strict=True)
    )
    is_well = all(answers.values())
    return JsonResponse(
        {
            "status": "ok" if is_well else "degraded",
            **{name: "ok" if well else "unavailable" for name, well in answers.items()},
        },
        status=HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Cache-Control": "no-store"},
    )


async def _answers(ask: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await ask()
    except (psycopg.Error, redis.RedisError, OSError):  # TimeoutError is an OSError
        return False
    return True


async def _ask_database() -> None:
    parameters = connection.get_connection_params()
    parameters = {name: parameters[name] for name in _WHERE if parameters.get(name)}
    async with await psycopg.AsyncConnection.connect(**parameters) as database:
        await database.execute("SELECT 1")


#: Of Django's connection parameters those that say which server it is, and as whom.
_WHERE = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "service")


async def _ask_broker() -> None:
    async with redis.asyncio.Redis.from_url(settings.SKYTRAIL_REDIS_URL) as broker:
        await broker.ping()
