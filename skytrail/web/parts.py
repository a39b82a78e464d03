"""Pages of which a part can be asked for again by itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page_or_part(
    request: HttpRequest, page: str, part: str, context: dict[str, Any], *, target: str = "rows"
) -> HttpResponse:
    """The template `part` where htmx asks for what goes into `#target`, else `page`."""
    is_part = request.headers.get("HX-Target") == target
    return render(request, part if is_part else page, context)
