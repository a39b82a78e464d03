"""Who acts, as history and versions write it."""

from __future__ import annotations

from django.http import HttpRequest


def actor_of(request: HttpRequest) -> str:
    """The name under which what this request does is kept."""
    return f"user:{request.user.get_username()}"
