"""Whether Skytrail can work: the one page that answers without a login."""

from __future__ import annotations

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """200 where the database and the broker answer, else 503; which of them does not."""
    parts = {"database": _database_answers(), "broker": _broker_answers()}
    status = {name: "ok" if answers else "unavailable" for name, answers in parts.items()}
    is_well = all(parts.values())
    return JsonResponse(
        {"status": "ok" if is_well else "degraded", **status}, status=200 if is_well else 503
    )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    client = redis.Redis.from_url(
        settings.SKYTRAIL_REDIS_URL, socket_timeout=2, socket_connect_timeout=2
    )
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()
