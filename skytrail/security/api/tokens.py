"""Getting a bearer token, and giving it up."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from skytrail.rest.requests import body
from skytrail.rest.views import View
from skytrail.security import tokens
from skytrail.security.models import ApiToken
from skytrail.security.throttling import LoginThrottle


class Credentials(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class NewToken(serializers.Serializer[Any]):
    access_token = serializers.CharField(help_text="Shown only here: send it as a bearer token.")
    token_type = serializers.CharField(default="bearer")
    expires_at = serializers.DateTimeField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class LoginFailed(APIException):
    """Not REST framework's own, which says 403 where no scheme is asked for, as at a login."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "login_failed"
    default_detail = "The username or the password is wrong."
    auth_header = 'Bearer realm="skytrail"'


class TokenView(View):
    """Tokens for programs; browsers have a session."""

    def get_permissions(self) -> Any:
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    def get_authenticators(self) -> Any:
        # Who asks for a token must not be turned away for the old one that has expired.
        is_login = self.request is not None and self.request.method == "POST"
        return [] if is_login else super().get_authenticators()

    def get_throttles(self) -> list[BaseThrottle]:
        return [LoginThrottle()] if self.request.method == "POST" else []

    @extend_schema(
        operation_id="auth_token_create",
        request=Credentials,
        responses={
            200: NewToken,
            401: OpenApiResponse(description="The username or the password is wrong."),
            429: OpenApiResponse(description="Too many tries; wait for `Retry-After` seconds."),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Exchange a username and password for a bearer token."""
        credentials = body(request, Credentials)
        user = authenticate(request, **credentials)
        if user is None:
            raise LoginFailed
        ttl = settings.SKYTRAIL_TOKEN_TTL
        issued = tokens.issue(user=user, ttl=ttl)
        answer = {
            "access_token": issued.text,
            "expires_at": issued.token.expires_at,
            "expires_in": int(ttl.total_seconds()),
        }
        return Response(NewToken(answer).data)

    @extend_schema(operation_id="auth_token_destroy", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Revoke the token that this request is made with."""
        if isinstance(request.auth, ApiToken):
            tokens.revoke(request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)
