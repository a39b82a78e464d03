"""The web application."""

from __future__ import annotations

import os
import warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skytrail.settings")

from django.core.asgi import get_asgi_application  # the line above has to come first

import skytrail.celery  # noqa: F401  # makes the Celery application the current one
from skytrail.rest.edge import BodyLimit

# WhiteNoise hands over files as plain iterators, which is fine for files.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

application = BodyLimit(get_asgi_application())
