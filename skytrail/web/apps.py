from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The pages' frame and template tags; no models."""

    name = "skytrail.web"
    label = "skytrail_web"
