"""Bearer tokens: made at login, looked up by their digest, dead after their time or at once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from skytrail.security.models import ApiToken

#: Makes a token that has leaked into a log or a repository recognisable to scanners.
PREFIX = "sky_"

#: How exactly the last use is noted; noting each use would cost a write per request.
_NOTED_EVERY = timedelta(minutes=5)


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
    """The token that `text` is, expired or not."""
    return ApiToken.objects.select_related("user").filter(digest=_digest(text)).first()


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
