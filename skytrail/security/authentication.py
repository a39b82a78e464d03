"""Who is asking, for REST: `Authorization: Bearer <token>`."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from skytrail.security import tokens
from skytrail.security.models import ApiToken

_HOW = "get a new one with POST /api/v1/auth/token"


class BearerAuthentication(BaseAuthentication):
    """Takes a token that `POST /api/v1/auth/token` has given out."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = tokens.find(text.strip().decode("ascii", "replace"))
        if token is None:
            raise AuthenticationFailed(f"This token is not known; {_HOW}.", "unknown_token")
        if token.expires_at <= timezone.now():
            raise AuthenticationFailed(
                f"This token expired at {token.expires_at:%Y-%m-%d %H:%M} UTC; {_HOW}.",
                "token_expired",
            )
        if not token.user.is_active:
            raise AuthenticationFailed("This account is switched off.", "account_inactive")
        tokens.note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="skytrail"'


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped hook
    """How the OpenAPI document describes it."""

    target_class = "skytrail.security.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
