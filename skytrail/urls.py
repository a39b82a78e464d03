"""Where everything is mounted."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views import defaults
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from skytrail.flower import flower
from skytrail.health import health
from skytrail.rest import errors

API = "api/v1/"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path(API, include("skytrail.security.api.urls")),
    path(API, include("dags_app.api.urls")),
    path(API, include("runs_app.api.urls")),
    path(f"{API}openapi.json", SpectacularAPIView.as_view(), name="openapi"),
    path(f"{API}docs", SpectacularSwaggerView.as_view(url_name="openapi"), name="swagger"),
    path(f"{API}redoc", SpectacularRedocView.as_view(url_name="openapi"), name="redoc"),
    path("flower/", flower),
    path("flower/<path:path>", flower),
    path("health", health),
]


@login_not_required
def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Programs get JSON, people a page."""
    if request.path.startswith("/api/"):
        return errors.page_not_found(request, exception)
    return defaults.page_not_found(request, exception)


@login_not_required
def handler500(request: HttpRequest) -> HttpResponseBase:
    """Programs get JSON, people a page; neither gets a traceback."""
    if request.path.startswith("/api/"):
        return errors.server_error(request)
    return defaults.server_error(request)
