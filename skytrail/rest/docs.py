"""The pages that show the OpenAPI document. Everything on them comes from this server."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from skytrail.rest.headers import OWN_FILES


class _Page:
    """For people in browsers: who is not logged in gets to the login instead of an error."""

    @method_decorator(login_required)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        response.headers["Content-Security-Policy"] = OWN_FILES
        return response


class SwaggerView(_Page, SpectacularSwaggerSplitView):
    """Swagger UI, for trying things out."""

    url_name = "openapi"


class RedocView(_Page, SpectacularRedocView):
    """Redoc, for reading. Its own template would fetch fonts from Google."""

    url_name = "openapi"
    template_name = "skytrail/rest/redoc.html"
