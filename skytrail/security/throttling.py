"""How often one address may try to log in, whichever door it tries."""

from __future__ import annotations

from typing import Any

from rest_framework.throttling import SimpleRateThrottle


class LoginThrottle(SimpleRateThrottle):
    """Counts tries by the address they come from, as the web server knows it.

    Not by what X-Forwarded-For says: anybody can write that. Behind a proxy the web server is told
    whom to believe (uvicorn's `--forwarded-allow-ips`), and the address is then the client's.
    """

    scope = "login"

    def get_cache_key(self, request: Any, view: Any) -> str:
        """One count for REST and the login page."""
        return f"skytrail:login:{request.META.get('REMOTE_ADDR', '')}"
