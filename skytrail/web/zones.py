"""Times in the reader's zone: the browser says once, in a cookie, where it is."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

COOKIE = "skytrail_zone"

#: As long as the longest name there is, and then some.
_LONGEST = 64


class ReadersZone:
    """Makes the zone that the cookie names the current one; UTC where there is none."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = request.COOKIES.get(COOKIE, "")
        if request.path.startswith("/api/") or not name or len(name) > _LONGEST:
            return self._get_response(request)
        try:
            zone = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return self._get_response(request)
        with timezone.override(zone):
            return self._get_response(request)
