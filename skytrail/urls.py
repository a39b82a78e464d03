"""Where everything is mounted."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views import defaults

from skytrail.flower import flower
from skytrail.health import health
from skytrail.rest import errors
from skytrail.rest.docs import RedocView, SwaggerView
from skytrail.rest.openapi import OpenApiView
from skytrail.security.login import LoginPage

API = "api/v1/"


urlpatterns = [
    path("admin/login/", LoginPage.as_view()),
    path("admin/", admin.site.urls),
    path(API, include("skytrail.security.api.urls")),
    path(API, include("dags_app.api.urls")),
    path(API, include("runs_app.api.urls")),
    path(f"{API}openapi.json", OpenApiView.as_view(), name="openapi"),
    path(f"{API}docs", SwaggerView.as_view(), name="swagger"),
    path(f"{API}redoc", RedocView.as_view(), name="redoc"),
    path("flower/", flower),
    path("flower/<path:path>", flower),
    path("health", health),
    path("", include("skytrail.web.urls")),
    path("", include("dags_app.web.urls")),
    path("", include("runs_app.web.urls")),
]


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


@login_not_required
def handler400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Programs get JSON, people a page."""
    page = errors.bad_request if _is_api(request) else defaults.bad_request
    return page(request, exception)


@login_not_required
def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Programs get JSON, people a page."""
    page = errors.page_not_found if _is_api(request) else defaults.page_not_found
    return page(request, exception)


@login_not_required
def handler500(request: HttpRequest) -> HttpResponseBase:
    """Programs get JSON, people a page; neither gets a traceback."""
    page = errors.server_error if _is_api(request) else errors.server_error_page
    return page(request)
