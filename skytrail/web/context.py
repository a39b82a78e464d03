"""What the frame of every page needs to know."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

THEME_COOKIE = "skytrail_theme"
_THEMES = {"light", "dark"}


def frame(request: HttpRequest) -> dict[str, Any]:
    """The chosen theme (empty: the system's), and the zone that times are shown in."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "theme": theme if theme in _THEMES else "",
        "zone": timezone.get_current_timezone_name(),
    }
