"""Bearer tokens: made at login, looked up by their digest, dead after their time or at once."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Model
from django.db.models.functions import Now
from django.utils import timezone

from skytrail.database.statement import Statement
from skytrail.security.models import ApiToken

M = TypeVar("M", bound=Model)

#: Makes a token that has leaked into a log or a repository recognisable to scanners.
PREFIX = "sky_"

#: How exactly the last use is noted; noting each use would cost a write per request.
_NOTED_EVERY = timedelta(minutes=5)


_OF_USER = ("id", "username", "is_active", "is_staff", "is_superuser")


@dataclass(frozen=True)
class _Found:
    id: UUID
    expires_at: datetime
    last_used_at: datetime
    user_id: int
    user_username: str
    user_is_active: bool
    user_is_staff: bool
    user_is_superuser: bool


# Every request over REST begins with this.
_FIND = Statement(
    "find_token",
    """
SELECT t.id, t.expires_at, t.last_used_at, u.id AS user_id, u.username AS user_username,
  u.is_active AS user_is_active, u.is_staff AS user_is_staff, u.is_superuser AS user_is_superuser
FROM skytrail_api_token t
JOIN auth_user u ON u.id = t.user_id
WHERE t.digest = %(digest)s
""",
    _Found,
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token; `text` is known to nobody but whoever is given this."""

    text: str
    token: ApiToken


def issue(*, user: User, ttl: timedelta) -> Issued:
    """A new token for `user` that is valid for `ttl`."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, digest=_digest(text), expires_at=timezone.now() + ttl
    )
    return Issued(text, token)


def find(text: str) -> ApiToken | None:
    """The token that `text` is, expired or not, with what is asked of its user at each request."""
    row = _FIND.one(digest=_digest(text))
    if row is None:
        return None
    values = dataclasses.asdict(row)
    token = _instance(ApiToken, values)
    token.user = _instance(User, {name: values[f"user_{name}"] for name in _OF_USER})
    return token


def _instance(model: type[M], values: dict[str, Any]) -> M:
    """A row of which these columns have been read; Django reads others when they are asked for."""
    columns = [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001  # Django's own way
    read = [name for name in columns if name in values]
    return model.from_db(DEFAULT_DB_ALIAS, read, [values[name] for name in read])


def note_use(token: ApiToken) -> None:
    """Writes down that the token has been used, every few minutes."""
    if timezone.now() - token.last_used_at > _NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=Now())


def revoke(token: ApiToken) -> None:
    """Makes a token useless at once."""
    ApiToken.objects.filter(pk=token.pk).delete()


def prune() -> int:
    """Deletes the tokens that have expired a while ago; until then they are told that they have."""
    old = ApiToken.objects.filter(expires_at__lt=Now() - timedelta(days=7))
    return old.order_by(F("expires_at")).delete()[0]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
